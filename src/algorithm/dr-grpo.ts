import { mean } from "../kit/statistics.ts";
import type { Algorithm } from "../spec/algorithm.ts";
import { grpoDefaults } from "./grpo.ts";
import { perTrajectory } from "./per-trajectory.ts";

/**
 * Dr. GRPO (arXiv 2503.20783): GRPO without its two biases. The deviation does not divide, so easy and hard tasks
 * weigh alike, and a trajectory's token losses are summed over a constant length, so long wrong ones are not let
 * off. `maxTokens` is that length: the most tokens an episode may sample.
 */
export function drGrpo({
  maxTokens,
  loss = grpoDefaults.loss,
}: {
  maxTokens: number;
  loss?: Algorithm["loss"];
}): Algorithm {
  return {
    name: "dr-grpo",
    loss,
    aggregation: { name: "trajectory-mean-token-sum-norm", length: maxTokens },
    learnsFromTies: false,
    credit: perTrajectory((rewards) => {
      const center = mean(rewards);
      return rewards.map((reward) => reward - center);
    }),
  };
}
