import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { Embedder } from "../../spec/embedder.ts";
import type { Player, Task } from "../../spec/environment.ts";
import type { Message } from "../../spec/message.ts";
import type { WebEngine } from "../../spec/web.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { bfcl } from "./bfcl.ts";

/** A data folder of a few items, as the benchmark writes them. */
function handWritten(): string {
  const folder = mkdtempSync(join(tmpdir(), "attune-bfcl-"));
  const write = (path: string, rows: readonly object[]) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  };
  const area = {
    name: "math.area",
    description: "The area of a rectangle.",
    parameters: {
      type: "dict",
      properties: {
        width: { type: "integer", description: "" },
        height: { type: "integer", description: "" },
        unit: { type: "string", description: "" },
      },
      required: ["width", "height"],
    },
  };
  const ask = (content: string) => [[{ role: "user", content }]];
  const numbers = Array.from({ length: 12 }, (_, index) => index);
  write(
    "questions/BFCL_v4_simple_python.json",
    numbers.map((n) => ({ id: `simple_python_${n}`, question: ask(`Area of ${n} by 3?`), function: [area] })),
  );
  write(
    "possible_answer/BFCL_v4_simple_python.json",
    numbers.map((n) => ({
      id: `simple_python_${n}`,
      ground_truth: [{ "math.area": { width: [n], height: [3], unit: ["", "m"] } }],
    })),
  );
  write(
    "questions/BFCL_v4_irrelevance.json",
    numbers.map((n) => ({ id: `irrelevance_${n}`, question: ask(`Who was king ${n}?`), function: [area] })),
  );
  const oneText = (name: string, parameter: string) => ({
    name,
    description: "",
    parameters: {
      type: "dict",
      properties: { [parameter]: { type: "string", description: "" } },
      required: [parameter],
    },
  });
  write(
    "questions/BFCL_v4_multi_turn_miss_func.json",
    numbers.map((n) => ({
      id: `multi_turn_miss_func_${n}`,
      question: [...ask("make a folder a"), []],
      initial_config: { GorillaFileSystem: { root: { workspace: { type: "directory", contents: {} } } } },
      path: [],
      involved_classes: ["GorillaFileSystem"],
      missed_function: { "1": ["mkdir"] },
    })),
  );
  write(
    "possible_answer/BFCL_v4_multi_turn_miss_func.json",
    numbers.map((n) => ({ id: `multi_turn_miss_func_${n}`, ground_truth: [[], ["mkdir(dir_name='a')"]] })),
  );
  write("func_doc/gorilla_file_system.json", [oneText("mkdir", "dir_name"), oneText("ls", "path")]);
  write(
    "questions/BFCL_v4_memory.json",
    numbers.map((n) => ({
      id: `memory_${n}-notetaker-${n}`,
      question: ask("What is my cat called?"),
      involved_classes: ["MemoryAPI"],
      scenario: "notetaker",
    })),
  );
  write(
    "possible_answer/BFCL_v4_memory.json",
    numbers.map((n) => ({ id: `memory_${n}-notetaker-${n}`, ground_truth: ["Miro"] })),
  );
  write("func_doc/memory_kv.json", [oneText("archival_memory_retrieve", "key")]);
  write("func_doc/memory_rec_sum.json", [oneText("memory_append", "text")]);
  write("memory_prereq/memory_notetaker.json", [
    {
      id: "memory_prereq_0-notetaker-0",
      topic: "Pets at-home",
      question: ask("My cat is Miro, and it is old."),
    },
  ]);
  return folder;
}

const taskOf = (environment: ReturnType<typeof bfcl>, kind: string): Task => {
  for (const task of environment.tasks({ split: "train", seed: 0 })) if (task.kind === kind) return task;
  throw new Error(`no task of ${kind}`);
};

const call =
  (name: string, given: object): Player =>
  () => ({
    role: "assistant",
    content: "",
    toolCalls: [{ id: "call_0", name, arguments: given as Record<string, never> }],
  });

describe("bfcl", () => {
  const environment = bfcl({ data: handWritten(), categories: ["simple_python", "irrelevance"] });
  const rewardOf = async (task: Task, player: Player) =>
    (await playMessages(environment, { task, player })).rewards["correct"];

  it("rewards what the benchmark's checker passes, and nothing else", async () => {
    const task = taskOf(environment, "simple_python");
    const width = Number((task.input as { id: string }).id.split("_").at(-1));
    const right = { width, height: 3 };
    expect(await rewardOf(task, call("math_area", right))).toBe(1);
    expect(await rewardOf(task, call("math_area", { ...right, unit: "m" }))).toBe(1);
    expect(await rewardOf(task, call("math_area", { ...right, unit: "ft" }))).toBe(0);
    expect(await rewardOf(task, call("math_area", { width }))).toBe(0);
    expect(await rewardOf(task, call("math_area", { width: "wide", height: [] }))).toBe(0);
    expect(await rewardOf(task, () => ({ role: "assistant", content: `${width * 3}` }))).toBe(0);
  });

  it("rewards silence where no function fits", async () => {
    const task = taskOf(environment, "irrelevance");
    expect(await rewardOf(task, () => ({ role: "assistant", content: "I cannot say." }))).toBe(1);
    expect(await rewardOf(task, call("math_area", { width: 1, height: 3 }))).toBe(0);
    expect(environment.baselines).toEqual({ null: 0.5 });
  });

  it("refuses a category that is none, and a folder without data", () => {
    expect(() => bfcl({ data: handWritten(), categories: ["simple_java"] })).toThrow(
      'bfcl: no category "simple_java"; there are simple_python',
    );
    expect(() => bfcl({ data: handWritten(), categories: ["web_search_base"] })).toThrow(
      "bfcl: web_search_base: its tools need a search engine (embedder, web)",
    );
    expect(() => bfcl({ data: tmpdir() })).toThrow("no file BFCL_v4_CATEGORY.json");
  });
});

/** Texts of the same length are near each other. */
const lengths: Embedder = {
  name: "lengths",
  embed: async (texts) => texts.map((text) => Float32Array.of(1, text.length / 1000)),
};
const silentWeb: WebEngine = {
  name: "silent",
  search: async () => ({ hits: [] }),
  open: async () => ({ error: "nobody answers" }),
};

describe("bfcl's memory", () => {
  const says = (player: (messages: readonly Message[]) => string | [string, object]): Player => {
    return ({ messages }) => {
      const said = player(messages);
      if (typeof said === "string") return { role: "assistant", content: said };
      return call(...said)({ messages, tools: [] });
    };
  };

  it("holds what earlier conversations said, in notes that can be looked up", async () => {
    const data = handWritten();
    const environment = bfcl({ data, categories: ["memory_kv", "memory_rec_sum"] });
    const rewardOf = async (kind: string, player: Player) => {
      const task = taskOf(environment, kind);
      return (await playMessages(environment, { task, player })).rewards["correct"];
    };
    const reader = says((messages) => {
      const last = messages.at(-1)!;
      if (last.role === "user") return ["archival_memory_retrieve", { key: "pets_at_home_0" }];
      return `{'answer': '${/cat is (\w+)/.exec(last.content)?.[1]}', 'context': ''}`;
    });
    expect(await rewardOf("memory_kv", reader)).toBe(1);
    expect(
      await rewardOf(
        "memory_kv",
        says(() => "{'answer': 'Rex', 'context': ''}"),
      ),
    ).toBe(0);
    const shown = says(
      ([system]) => `{'answer': '${/cat is (\w+)/.exec(system!.content)?.[1]}', 'context': ''}`,
    );
    expect(await rewardOf("memory_rec_sum", shown)).toBe(1);
  });
});

describe("bfcl's missing functions", () => {
  it("can be called from the turn that describes them, and not before", async () => {
    const environment = bfcl({ data: handWritten(), categories: ["multi_turn_miss_func"] });
    const task = taskOf(environment, "multi_turn_miss_func");
    const play = (early: boolean) =>
      playMessages(environment, {
        task,
        player: ({ messages, tools }) => {
          const last = messages.at(-1)!;
          if (last.role === "tool") return { role: "assistant", content: "done" };
          if (last.content.includes("updated some more functions") || early)
            return call("mkdir", { dir_name: "a" })({ messages, tools });
          return { role: "assistant", content: "I have no function for that." };
        },
      });
    expect((await play(false)).rewards["correct"]).toBe(1);
    const { messages } = await play(true);
    expect(messages.find(({ role }) => role === "tool")?.content).toMatch(/no tool "mkdir"/);
  });
});

const folder = resolve(process.env.ATTUNE_BFCL_DATA ?? "../shared/data/bfcl");

if (existsSync(folder)) {
  environmentContract(
    bfcl({
      data: folder,
      categories: [
        "simple_python",
        "parallel_multiple",
        "live_multiple",
        "multi_turn_base",
        "multi_turn_miss_func",
        "multi_turn_miss_param",
        "memory_kv",
        "memory_vector",
        "memory_rec_sum",
        "web_search_base",
      ],
      embedder: lengths,
      web: silentWeb,
    }),
    { tasks: 120 },
  );
} else it.skip(`holds the environment's contract (no data in ${folder})`, () => {});
