import { sum } from "../kit/statistics.ts";
import type { Algorithm } from "../spec/algorithm.ts";
import { grpoDefaults } from "./grpo.ts";
import { perTrajectory } from "./per-trajectory.ts";

/**
 * REINFORCE leave-one-out (Ahmadian et al. 2024, arXiv 2402.14740): the baseline of a trajectory is the mean reward
 * of the others in its group, which leaves the gradient unbiased.
 */
export function rloo(options: Partial<typeof grpoDefaults> = {}): Algorithm {
  return {
    name: "rloo",
    ...grpoDefaults,
    ...options,
    learnsFromTies: false,
    credit: perTrajectory((rewards) => {
      const total = sum(rewards);
      return rewards.map((reward) =>
        rewards.length > 1 ? reward - (total - reward) / (rewards.length - 1) : 0,
      );
    }),
  };
}
