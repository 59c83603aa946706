import { mean } from "../kit/statistics.ts";
import type { Algorithm } from "../spec/algorithm.ts";
import { grpoDefaults } from "./grpo.ts";
import { perTrajectory } from "./per-trajectory.ts";
import { whiten } from "./whiten.ts";

export type ReinforcePlusPlusOptions = Partial<typeof grpoDefaults> & {
  /** OpenRLHF divides by n, verl by n − 1. */
  variance?: "unbiased" | "population";
};

/**
 * REINFORCE++ (arXiv 2501.03262): no group baseline; the undiscounted return, which with the reward at the last
 * token is the reward at every token, is whitened over all tokens of the batch. A group of one is enough.
 */
export function reinforcePlusPlus({
  variance = "unbiased",
  ...options
}: ReinforcePlusPlusOptions = {}): Algorithm {
  return {
    name: "reinforce++",
    ...grpoDefaults,
    ...options,
    learnsFromTies: true,
    credit: perTrajectory((rewards) => [...rewards]),
    finish: (batch) => whiten(batch, { variance }),
  };
}

/**
 * REINFORCE++ with baseline: the group's mean is taken off first, the batch is whitened after.
 * Tied groups stay in: their zeros are part of the deviation that the others are measured by.
 */
export function reinforcePlusPlusBaseline({
  variance = "unbiased",
  ...options
}: ReinforcePlusPlusOptions = {}): Algorithm {
  return {
    name: "reinforce++-baseline",
    ...grpoDefaults,
    ...options,
    learnsFromTies: true,
    credit: perTrajectory((rewards) => {
      const center = mean(rewards);
      return rewards.map((reward) => reward - center);
    }),
    finish: (batch) => whiten(batch, { variance }),
  };
}
