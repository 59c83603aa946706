import { describe, expect, it } from "vitest";
import { conversation, observed, said } from "../testing/trajectories.ts";
import { passAtK, passHatK, toPasses } from "./pass-at-k.ts";

/** Share of the k-subsets of n attempts, the first c of them successes, that `holds` is true of. */
function byEnumeration(n: number, c: number, k: number, holds: (successes: number) => boolean): number {
  let [all, held] = [0, 0];
  for (let subset = 0; subset < 2 ** n; subset++) {
    const members = Array.from({ length: n }, (_, index) => index).filter((index) => subset & (1 << index));
    if (members.length !== k) continue;
    all++;
    if (holds(members.filter((index) => index < c).length)) held++;
  }
  return held / all;
}

describe("pass@k and pass^k", () => {
  it("are the shares of all k-subsets with a success, and with nothing else", () => {
    for (const [n, c, k] of [
      [5, 2, 1],
      [5, 2, 3],
      [8, 1, 4],
      [8, 7, 2],
      [6, 0, 3],
      [6, 6, 6],
    ] as const) {
      expect(passAtK(n, c, k)).toBeCloseTo(
        byEnumeration(n, c, k, (successes) => successes > 0),
        12,
      );
      expect(passHatK(n, c, k)).toBeCloseTo(
        byEnumeration(n, c, k, (successes) => successes === k),
        12,
      );
    }
  });

  it("stay exact where factorials would not", () => {
    expect(passAtK(2000, 1, 1000)).toBeCloseTo(0.5, 9);
    expect(passHatK(2000, 1999, 1000)).toBeCloseTo(0.5, 9);
  });

  it("refuse a k that there are not enough attempts for", () => {
    expect(() => passAtK(3, 1, 4)).toThrow("expected k between 1 and 3 attempts, got 4");
    expect(() => passHatK(3, 1, 0)).toThrow("got 0");
  });

  it("are means over tasks; what the world broke is no attempt", () => {
    const attempts = (task: string, ...rewards: (number | null)[]) =>
      rewards.map((reward) => conversation({ task, reward, nodes: [observed(1), said([2])] }));
    const played = [
      ...attempts("one", 1, 1, null),
      ...attempts("two", 0, 1, 0),
      ...attempts("three", 1, null, null),
    ];
    expect(toPasses(played, 2)).toEqual({
      k: 2,
      passAtK: expect.closeTo((1 + 2 / 3) / 2, 12),
      passHatK: 0.5,
      tasks: 2,
    });
    expect(toPasses(played, 8)).toEqual({ k: 8, passAtK: 0, passHatK: 0, tasks: 0 });
  });
});
