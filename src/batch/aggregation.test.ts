import { describe, expect, it } from "vitest";
import type { Aggregation } from "../spec/algorithm.ts";
import { tokenWeights } from "./aggregation.ts";

/** Token losses of two trajectories. */
const losses = [[1], [2, 2, 5]];

function aggregate(aggregation: Aggregation): number {
  const weights = tokenWeights(
    aggregation,
    losses.map(({ length }) => length),
  );
  return losses.reduce(
    (total, own, index) => total + own.reduce((sum, loss) => sum + loss * weights[index]!, 0),
    0,
  );
}

describe("loss aggregation", () => {
  it("is 2.5 as a mean over tokens", () => {
    expect(aggregate({ name: "token-mean" })).toBeCloseTo(2.5, 12);
  });

  it("is 5 as a mean over trajectories of their sums", () => {
    expect(aggregate({ name: "trajectory-mean-token-sum" })).toBeCloseTo(5, 12);
  });

  it("is 2 as a mean over trajectories of their means", () => {
    expect(aggregate({ name: "trajectory-mean-token-mean" })).toBeCloseTo(2, 12);
  });

  it("is 0.625 as sums over a constant length of 8", () => {
    expect(aggregate({ name: "trajectory-mean-token-sum-norm", length: 8 })).toBeCloseTo(0.625, 12);
  });

  it("gives every token mean a total weight of 1, whatever the lengths", () => {
    for (const name of ["token-mean", "trajectory-mean-token-mean"] as const) {
      const lengths = [3, 1, 40, 7];
      const weights = tokenWeights({ name }, lengths);
      const total = weights.reduce((sum, weight, index) => sum + weight * lengths[index]!, 0);
      expect(total).toBeCloseTo(1, 12);
    }
  });
});
