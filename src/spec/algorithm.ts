import type { Loss } from "./trainer.ts";

/** What an algorithm may know of a trajectory. */
export type ScoredTrajectory = {
  reward: number;
  task: string;
  environment: string;
  /** Tokens the policy wrote, turn by turn. */
  turnTokens: readonly number[];
};

/** What a trajectory earned: one number for all of it, one for each turn, or one for each token it wrote. */
export type Credit =
  | { level: "trajectory"; value: number }
  | { level: "turn"; values: readonly number[] }
  | { level: "token"; values: Float32Array };

/**
 * How token losses become one number (methods: token-mean; mean over trajectories of their token sum or token
 * mean; token sum over trajectories divided by a constant length).
 */
export type Aggregation =
  | { name: "token-mean" }
  | { name: "trajectory-mean-token-sum" }
  | { name: "trajectory-mean-token-mean" }
  | { name: "trajectory-mean-token-sum-norm"; length: number };

export interface Algorithm {
  name: string;
  loss: Loss;
  aggregation: Aggregation;
  /** Credit for every trajectory of one group (same task, same policy version). */
  credit(group: readonly ScoredTrajectory[]): Credit[];
  /** A second look over the whole batch: whitening, normalisation by task or environment. */
  finish?(batch: readonly { scored: ScoredTrajectory; credit: Credit }[]): Credit[];
  /** Whether a group whose rewards are all equal still teaches something (a baseline over the batch). */
  learnsFromTies: boolean;
  /** Refill tied groups with new tasks, at most this many extra rounds (DAPO's dynamic sampling). */
  resampleRounds?: number;
}
