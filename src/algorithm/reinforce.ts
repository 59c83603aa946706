import type { Algorithm } from "../spec/algorithm.ts";
import { perTrajectory } from "./per-trajectory.ts";

/**
 * REINFORCE (Williams 1992): the advantage is the reward, less a constant baseline. The loss is the plain
 * importance-weighted one: REINFORCE is on-policy, with one update a batch, where the ratio is 1 and a clip would
 * have nothing to do.
 */
export function reinforce({ baseline = 0 }: { baseline?: number } = {}): Algorithm {
  return {
    name: "reinforce",
    loss: { name: "importance_sampling" },
    aggregation: { name: "token-mean" },
    learnsFromTies: true,
    credit: perTrajectory((rewards) => rewards.map((reward) => reward - baseline)),
  };
}
