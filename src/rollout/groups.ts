import { deriveSeed } from "../kit/random.ts";
import type { Task } from "../spec/environment.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";

/** Every task `groupSize` times, each attempt with seeds of its own. */
export function toRequests({
  tasks,
  groupSize,
  step,
  runSeed,
  sampling,
}: {
  tasks: readonly Task[];
  groupSize: number;
  step: number;
  runSeed: number;
  sampling: EpisodeRequest["sampling"];
}): EpisodeRequest[] {
  return tasks.flatMap((task, position) =>
    Array.from({ length: groupSize }, (_, sample) => ({
      task,
      step,
      group: `${step}-${position}-${task.id}`,
      sample,
      seed: deriveSeed(runSeed, "episode", step, position, task.id, sample),
      sampling,
    })),
  );
}

/** Trajectories of the same group together, in the order they come. */
export function toGroups(trajectories: readonly Trajectory[]): Trajectory[][] {
  return [...Map.groupBy(trajectories, ({ group }) => group).values()];
}
