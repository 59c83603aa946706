import { describe, expect, it } from "vitest";
import { startExecution } from "../multi-turn/execute.ts";
import { toDict } from "../python/value.ts";
import type { Question } from "../run/question.ts";
import { bm25Plus } from "./bm25-plus.ts";
import { memoryWorlds } from "./memory-worlds.ts";

/** Calls and what the original answers, from an empty memory. */
const vectors: Record<string, [call: string, result: string][]> = {
  MemoryAPI_kv: [
    ["core_memory_add('user_name', 'Ann')", '{"status": "Key-value pair added."}'],
    ["core_memory_add(key='user_name', value='Bob')", '{"error": "Key name must be unique."}'],
    [
      "core_memory_add('User Name', 'Bob')",
      '{"error": "Key must be in snake_case format and cannot contain spaces."}',
    ],
    ["core_memory_add('pet_cat_name', 3)", '{"status": "Key-value pair added."}'],
    [
      "core_memory_key_search('user name')",
      '{"ranked_results": [[3.1569097009260263, "user_name"], [1.8760637344901867, "pet_cat_name"]]}',
    ],
    ["core_memory_retrieve('pet_cat_name')", '{"value": "3"}'],
    ["core_memory_replace('age', '7')", '{"error": "Key not found."}'],
    ["archival_memory_key_search('cat')", "Error during execution: division by zero"],
    ["archival_memory_add('trip', 'Rome')", '{"status": "Key added."}'],
    ["archival_memory_list_keys()", '{"keys": ["trip"]}'],
    ["core_memory_clear()", '{"status": "Short term memory cleared."}'],
  ],
  MemoryAPI_rec_sum: [
    ["memory_retrieve()", '{"error": "Memory is empty."}'],
    ["memory_append('Ann likes tea. ')", '{"status": "Memory appended."}'],
    ["memory_replace('tea', 'coffee')", '{"status": "Memory updated."}'],
    ["memory_replace('milk', 'x')", `{"error": "Text 'milk' not found in memory."}`],
    ["memory_retrieve()", '{"memory_content": "Ann likes coffee. "}'],
    [
      `memory_update('${"x".repeat(10_001)}')`,
      '{"error": "Entry will be too long after updating. Please shorten the entry to less than 10000 characters."}',
    ],
  ],
};

describe("a memory", () => {
  it.each(Object.entries(vectors))("answers as the original does: %s", (name, pairs) => {
    const { run } = startExecution({
      id: "memory",
      involvedClasses: [name],
      initialConfig: toDict({}),
      longContext: false,
      owner: "test",
    });
    expect(run(pairs.map(([call]) => call))).toEqual(pairs.map(([, result]) => result));
  });

  it("is handed on to the next conversation as it is, and not shared with it", async () => {
    const question = {
      id: "memory_kv_0",
      category: "memory_kv",
      involvedClasses: ["MemoryAPI_kv"],
    } as Question;
    const worlds = memoryWorlds("a/model-1");
    expect([worlds.has("memory_kv"), worlds.has("memory_rec_sum"), worlds.has("memory_vector")]).toEqual([
      true,
      true,
      false,
    ]);
    const first = await worlds.open(question);
    expect(first.memoryText!()).toBe("There is no content in the core memory at this point.");
    await first.run(["core_memory_add('city', 'Rome')"]);
    const second = first.fork!(question);
    await second.run(["core_memory_replace('city', 'Oslo')"]);
    expect(first.memoryText!()).toBe('{\n    "city": "Rome"\n}');
    expect(second.memoryText!()).toBe('{\n    "city": "Oslo"\n}');
  });

  it("ranks by BM25+, where a rare word weighs more and a missing one nothing", () => {
    const scores = bm25Plus(
      [
        ["user", "name"],
        ["pet", "name"],
      ],
      ["pet"],
    );
    expect(scores[1]).toBeGreaterThan(scores[0]!);
    expect(bm25Plus([["a"]], ["b"])).toEqual([0]);
  });
});
