import { expect, it } from "vitest";
import type { Split } from "../spec/environment.ts";
import { splitOf } from "./task.ts";
import { pickKinds, type TaskKind, taskStream } from "./task-stream.ts";

const numbers: TaskKind<number> = (random) => {
  const input = random.integer(500);
  return { input, answer: -input, key: String(input) };
};

const take = (count: number, query: { split: Split; seed: number }, kinds = { a: numbers, b: numbers }) => {
  const stream = taskStream({ environment: "numbers", kinds, salt: "s", ...query });
  return Array.from({ length: count }, () => stream.next().value!);
};

it("repeats with its seed and differs with another", () => {
  expect(take(50, { split: "train", seed: 7 })).toEqual(take(50, { split: "train", seed: 7 }));
  expect(take(50, { split: "train", seed: 7 })).not.toEqual(take(50, { split: "train", seed: 8 }));
});

it("keeps every combination of kind and key on one side, whatever the seed", () => {
  const combinations = (split: Split) =>
    new Set(
      [1, 2, 3].flatMap((seed) => take(2000, { split, seed })).map(({ kind, input }) => `${kind} ${input}`),
    );
  const [train, test] = [combinations("train"), combinations("test")];
  expect([...test].filter((combination) => train.has(combination))).toEqual([]);
  expect(test.size / (test.size + train.size)).toBeCloseTo(0.2, 1);
});

it("gives every kind its share", () => {
  const kinds = take(4000, { split: "train", seed: 1 }).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "a").length / kinds.length).toBeCloseTo(0.5, 1);
});

it("gives the same problem the same id, in any stream", () => {
  const ids = new Map<string, string>();
  for (const seed of [1, 2, 3]) {
    for (const { id, kind, input } of take(500, { split: "train", seed })) {
      expect(ids.get(`${kind} ${input}`) ?? id).toBe(id);
      ids.set(`${kind} ${input}`, id);
    }
  }
  expect(new Set(ids.values()).size).toBe(ids.size);
});

it("says which kind has nothing in a split instead of drawing for ever", () => {
  const lonely: TaskKind<number> = () => ({ input: 1, answer: 1, key: "the only one" });
  const missing: Split = splitOf("a the only one", { salt: "s" }) === "train" ? "test" : "train";
  expect(() => take(1, { split: missing, seed: 1 }, { a: lonely, b: lonely })).toThrow(
    /environment "numbers": kind "[ab]" has no (train|test) task in 10000 draws/,
  );
});

it("holds out the share that is asked for", () => {
  const keys = Array.from({ length: 5000 }, (_, index) => `key ${index}`);
  const held = (testShare: number) =>
    keys.filter((key) => splitOf(key, { salt: "s", testShare }) === "test").length / keys.length;
  expect(held(0)).toBe(0);
  expect(held(0.1)).toBeCloseTo(0.1, 1);
  expect(held(1)).toBe(1);
});

it("picks kinds by name and refuses unknown ones", () => {
  expect(pickKinds({ a: 1, b: 2 }, { only: ["b"], environment: "numbers" })).toEqual({ b: 2 });
  expect(() => pickKinds({ a: 1, b: 2 }, { only: ["c"], environment: "numbers" })).toThrow(
    'environment "numbers": no kind of task "c"; there are a, b',
  );
  expect(() => pickKinds({ a: 1 }, { only: [], environment: "numbers" })).toThrow(/got no kind of task/);
});
