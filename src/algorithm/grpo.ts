import { mean, standardDeviation } from "../kit/statistics.ts";
import type { Aggregation, Algorithm } from "../spec/algorithm.ts";
import type { Loss } from "../spec/trainer.ts";
import { perTrajectory } from "./per-trajectory.ts";

/** One update per batch keeps the ratio at 1, where the clip is idle; with more it bounds them. */
export const grpoDefaults = {
  loss: { name: "ppo", clipLow: 0.8, clipHigh: 1.2 } satisfies Loss as Loss,
  aggregation: { name: "token-mean" } satisfies Aggregation as Aggregation,
} as const;

/**
 * Group-relative policy optimisation (DeepSeekMath, arXiv 2402.03300): a trajectory's advantage is its reward, less
 * the group's mean, over the group's deviation (unbiased, + 1e-6). Scale and offset of a reward do not matter.
 */
export function grpo(options: Partial<typeof grpoDefaults> = {}): Algorithm {
  return {
    name: "grpo",
    ...grpoDefaults,
    ...options,
    learnsFromTies: false,
    credit: perTrajectory((rewards) => {
      const center = mean(rewards);
      const spread = standardDeviation(rewards, "unbiased") + 1e-6;
      return rewards.map((reward) => (reward - center) / spread);
    }),
  };
}
