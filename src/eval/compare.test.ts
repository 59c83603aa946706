import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import { conversation, observed, said } from "../testing/trajectories.ts";
import { compare, compareTrajectories } from "./compare.ts";

/** Results of tasks: so many that both solve, only the second, only the first. */
const results = ({ both = 0, gained = 0, lost = 0 }) => ({
  before: [...Array(both).fill(true), ...Array(gained).fill(false), ...Array(lost).fill(true)] as boolean[],
  after: [...Array(both).fill(true), ...Array(gained).fill(true), ...Array(lost).fill(false)] as boolean[],
});

describe("a paired comparison", () => {
  it("is the difference of the means, with the tasks that changed sides", () => {
    const { before, after } = results({ both: 10, gained: 8, lost: 2 });
    expect(compare(before, after)).toMatchObject({ difference: 0.3, better: 8, worse: 2, tasks: 20 });
  });

  it("has McNemar's exact p: 2·P(X ≤ 2) for 8 against 2 is 112/1024", () => {
    const { before, after } = results({ both: 10, gained: 8, lost: 2 });
    expect(compare(before, after).p).toBeCloseTo(112 / 1024, 12);
    expect(compare(after, before).p).toBeCloseTo(112 / 1024, 12);
  });

  it("finds nothing between a policy and itself", () => {
    const { before } = results({ both: 5, lost: 5 });
    expect(compare(before, before)).toMatchObject({ difference: 0, low: 0, high: 0, p: 1 });
  });

  it("keeps a p above 0 where 0.5ⁿ is no longer a number: 1,000 against 1,010 is no difference", () => {
    const { before, after } = results({ gained: 1010, lost: 1000 });
    const { p } = compare(before, after, { resamples: 10 });
    expect(p).toBeGreaterThan(0.8);
    expect(p).toBeLessThan(0.9);
  });

  it("has an interval that holds the true difference about 95 times in 100", () => {
    const random = createRandom(11);
    let held = 0;
    for (let trial = 0; trial < 200; trial++) {
      const before = Array.from({ length: 80 }, () => random.next() < 0.5);
      const after = before.map((success) => (random.next() < 0.5 ? success : random.next() < 0.7));
      const { low, high } = compare(before, after, { seed: trial, resamples: 300 });
      if (low <= 0.1 && 0.1 <= high) held++;
    }
    expect(held / 200).toBeGreaterThan(0.89);
    expect(held / 200).toBeLessThan(0.99);
  });

  it("repeats with its seed", () => {
    const { before, after } = results({ both: 4, gained: 5, lost: 3 });
    expect(compare(before, after, { seed: 1 })).toEqual(compare(before, after, { seed: 1 }));
  });

  it("refuses sides that are not the same tasks", () => {
    expect(() => compare([true], [true, false])).toThrow("got 1 and 2");
    expect(() => compare([], [])).toThrow("got 0 and 0");
  });
});

describe("a comparison of trajectories", () => {
  const attempt = (task: string, reward: number | null) =>
    conversation({ task, reward, nodes: [observed(1), said([2])] });

  it("pairs by task, in whatever order they were played, and counts a task once however often it was tried", () => {
    const before = [attempt("x", 0), attempt("x", 1), attempt("y", 0), attempt("y", 0)];
    const after = [attempt("y", 1), attempt("x", 1), attempt("y", 1), attempt("x", 0)];
    expect(compareTrajectories(before, after)).toMatchObject({
      difference: 0.5,
      better: 1,
      worse: 0,
      tasks: 2,
    });
  });

  it("leaves out what the world broke instead of calling it a failure", () => {
    const before = [attempt("x", 1), attempt("y", 1), attempt("z", 0)];
    const after = [attempt("x", 1), attempt("y", null), attempt("z", 1)];
    expect(compareTrajectories(before, after)).toMatchObject({ difference: 0.5, worse: 0, tasks: 2 });
  });

  it("refuses sides that have no task in common", () => {
    expect(() => compareTrajectories([attempt("x", 1)], [attempt("y", 1)])).toThrow("got none among 1 and 1");
  });
});
