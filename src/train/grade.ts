import { toReward } from "../reward/to-reward.ts";
import type { Environment } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { toGradeContext } from "../trajectory/grade-context.ts";

/** Scores a trajectory with its environment's reward components. */
export function grade(trajectory: Trajectory, environment: Environment) {
  return toReward(environment.rewards, toGradeContext(trajectory));
}
