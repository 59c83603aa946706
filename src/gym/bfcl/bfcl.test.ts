import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { Player, Task } from "../../spec/environment.ts";
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
  const environment = bfcl({ data: handWritten() });
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
    expect(() => bfcl({ data: handWritten(), categories: ["web_search_base"] })).toThrow(
      'bfcl: no category "web_search_base"; there are simple_python',
    );
    expect(() => bfcl({ data: tmpdir() })).toThrow("no file BFCL_v4_CATEGORY.json");
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
        "multi_turn_miss_param",
      ],
    }),
    { tasks: 60 },
  );
} else it.skip(`holds the environment's contract (no data in ${folder})`, () => {});
