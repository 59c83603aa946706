import type { Environment } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { grade } from "./grade.ts";

export type Rescored = {
  trajectory: Trajectory;
  /** The reward it had. */
  before: number | null;
  /** One line for each component that could not be computed. */
  problems: readonly string[];
};

/**
 * Gives a stored trajectory the rewards that its environment would give it today. Rewards look at the record alone,
 * so no session is opened; what was kept of the world is its `outcome`.
 */
export async function rescore(trajectory: Trajectory, environment: Environment): Promise<Rescored> {
  const { rewards, reward, errors } = await grade(trajectory, environment);
  return { trajectory: { ...trajectory, rewards, reward }, before: trajectory.reward, problems: errors };
}
