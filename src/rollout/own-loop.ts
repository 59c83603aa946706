import type { Environment, OwnEpisode } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import type { Grade } from "./episode.ts";

/** An episode whose loop is the environment's own, scored like any other. */
export async function playOwn(
  play: NonNullable<Environment["play"]>,
  episode: OwnEpisode,
  grade: (trajectory: Trajectory) => ReturnType<Grade>,
): Promise<Trajectory> {
  const trajectory = await play(episode);
  const gradingSince = performance.now();
  const { rewards, reward, errors } = await grade(trajectory);
  const timing = { ...trajectory.timing, gradingMs: performance.now() - gradingSince };
  const error = [trajectory.error, ...errors].filter((line) => line !== undefined).join("; ");
  return { ...trajectory, ...(error && { error }), rewards, reward, timing };
}
