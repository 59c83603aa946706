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

/** A group that broken episodes left with too few members to compare: what it was, and what was left of it. */
export type DroppedGroup = { group: string; left: number; of: number };

/**
 * Groups after their broken episodes (those without a reward) are taken out of account: one that keeps `least`
 * members or more goes on with those, one that has fewer is dropped as a whole, because an attempt can only be
 * judged beside others. A group that was planned smaller than `least` must be complete.
 */
export function repairGroups(
  groups: readonly Trajectory[][],
  { least = 2 }: { least?: number } = {},
): { kept: Trajectory[][]; dropped: DroppedGroup[] } {
  const kept: Trajectory[][] = [];
  const dropped: DroppedGroup[] = [];
  for (const group of groups) {
    const left = group.filter(({ reward }) => reward !== null).length;
    if (left >= Math.min(least, group.length)) kept.push(group);
    else dropped.push({ group: group[0]!.group, left, of: group.length });
  }
  return { kept, dropped };
}

/** Trajectories of the same group together, in the order they come. */
export function toGroups(trajectories: readonly Trajectory[]): Trajectory[][] {
  return [...Map.groupBy(trajectories, ({ group }) => group).values()];
}
