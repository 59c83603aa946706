import { describe, expect, it } from "vitest";
import type { Embedder } from "../../../spec/embedder.ts";
import type { Question } from "../run/question.ts";
import { bm25Plus } from "./bm25-plus.ts";
import { memoryWorlds } from "./memory-worlds.ts";

/** Calls and what the original answers, from an empty memory. */
const vectors: Record<string, [call: string, result: string][]> = {
  memory_kv: [
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
  memory_rec_sum: [
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
  memory_vector: [
    ["core_memory_retrieve('tea')", '{"result": []}'],
    ["core_memory_add('Ann likes tea')", '{"id": 0}'],
    ["core_memory_add(text='abc')", '{"id": 1}'],
    ["core_memory_add('cab')", '{"id": 2}'],
    ["core_memory_retrieve('bca', 1)", '{"result": [{"id": 1, "similarity_score": 1.0, "text": "abc"}]}'],
    [
      "core_memory_retrieve('bca', 2)",
      '{"result": [{"id": 2, "similarity_score": 1.0, "text": "cab"}, {"id": 1, "similarity_score": 1.0, "text": "abc"}]}',
    ],
    ["core_memory_update(1, 'Rome')", '{"status": "ID 1 updated."}'],
    ["core_memory_remove(7)", '{"error": "ID 7 not present in store."}'],
    ["core_memory_remove(0)", '{"status": "ID 0 removed from store."}'],
    ["core_memory_add(3)", "Error during execution: object of type 'int' has no len()"],
    ["core_memory_add('')", '{"id": 3}'],
    [
      "core_memory_retrieve('cab', top_k=core_memory_add('nested')['id'])",
      '{"result": [{"id": 2, "similarity_score": 1.0, "text": "cab"}, {"id": 1, "similarity_score": 0.21552638709545135, "text": "Rome"}, {"id": 4, "similarity_score": 0.13608276844024658, "text": "nested"}, {"id": 3, "similarity_score": 0.0, "text": ""}]}',
    ],
    ["core_memory_retrieve('x', 0)", "Error during execution: "],
    ["FORK", '{\n    "1": "Rome",\n    "2": "cab",\n    "3": "",\n    "4": "nested"\n}'],
    [
      "core_memory_retrieve_all()",
      '{"result": [{"id": 1, "text": "Rome"}, {"id": 2, "text": "cab"}, {"id": 3, "text": ""}, {"id": 4, "text": "nested"}]}',
    ],
    ["archival_memory_retrieve('x')", '{"result": []}'],
    ["archival_memory_add('Oslo')", '{"id": 0}'],
    [
      "archival_memory_retrieve('Oslo', None)",
      "Error during execution: '<' not supported between instances of 'int' and 'NoneType'",
    ],
    ["core_memory_clear()", '{"status": "Memory cleared."}'],
    ["core_memory_add('again')", '{"id": 0}'],
  ],
};

/** Counts letters by their number modulo 8, and weighs them by it: cheap, and the same in the original's place. */
const letters: Embedder = {
  name: "letters",
  async embed(texts) {
    return texts.map((text) => {
      const vector = new Float32Array(8);
      for (const letter of text) vector[letter.codePointAt(0)! % 8]! += 1 + (letter.codePointAt(0)! % 5);
      return vector;
    });
  },
};

/** The last digits of a similarity depend on how the processor adds. */
const rounded = (text: string) =>
  text.replace(/(?<="similarity_score": )[\d.e-]+/g, (score) => Number(score).toFixed(5));

describe("a memory", () => {
  it.each(Object.entries(vectors))("answers as the original does: %s", async (category, pairs) => {
    const question = { id: "m", category, involvedClasses: [], scenario: "s" } as unknown as Question;
    let world = await memoryWorlds("test", { embedder: letters }).open(question);
    for (const [call, result] of pairs) {
      if (call === "FORK") {
        world = world.fork!(question);
        expect(world.memoryText!()).toBe(result);
      } else expect([call, rounded((await world.run([call]))[0]!)]).toEqual([call, rounded(result)]);
    }
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
