import type { Aggregation } from "../spec/algorithm.ts";

/** Tokens of a trajectory that the loss looks at, all its rows together. */
export type Lengths = readonly number[];

/**
 * The weight that makes a plain sum of token losses the wanted mean, one for each trajectory of the batch: every
 * token of trajectory i is weighted by the i-th number.
 */
export function tokenWeights(aggregation: Aggregation, lengths: Lengths): number[] {
  const trajectories = lengths.length;
  switch (aggregation.name) {
    case "token-mean": {
      const tokens = lengths.reduce((total, length) => total + length, 0);
      return lengths.map(() => 1 / tokens);
    }
    case "trajectory-mean-token-sum":
      return lengths.map(() => 1 / trajectories);
    case "trajectory-mean-token-mean":
      return lengths.map((length) => 1 / (trajectories * length));
    case "trajectory-mean-token-sum-norm":
      return lengths.map(() => 1 / (trajectories * aggregation.length));
    default:
      return aggregation satisfies never;
  }
}
