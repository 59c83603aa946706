import { createRandom } from "../kit/random.ts";
import { mean, quantile } from "../kit/statistics.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { isSuccess } from "./report.ts";

/** Two policies on the same tasks: mean difference with a bootstrapped 95 % interval, and McNemar's exact p. */
export type Comparison = {
  /** After minus before, a mean over tasks. */
  difference: number;
  low: number;
  high: number;
  /** Tasks on which one was better than the other. */
  better: number;
  worse: number;
  /** Two-sided, of a split at least this uneven if neither were better (McNemar; the sign test). */
  p: number;
  tasks: number;
};

/**
 * Compares task by task; `before` and `after` are in the same order. A task's result is whether it was a success,
 * or the share of its attempts that were: the task is what is resampled, since attempts at one are not independent.
 */
export function compare(
  before: readonly (boolean | number)[],
  after: readonly (boolean | number)[],
  { seed = 0, resamples = 2000 } = {},
): Comparison {
  if (before.length !== after.length || before.length === 0) {
    throw new AttuneError(
      "input",
      `compare: expected the same tasks on both sides, got ${before.length} and ${after.length}`,
    );
  }
  const differences = before.map((result, index) => Number(after[index]) - Number(result));
  const better = differences.filter((difference) => difference > 0).length;
  const worse = differences.filter((difference) => difference < 0).length;
  const random = createRandom(seed);
  const means = Array.from({ length: resamples }, () =>
    mean(differences.map(() => random.pick(differences))),
  );
  return {
    difference: mean(differences),
    low: quantile(means, 0.025),
    high: quantile(means, 0.975),
    better,
    worse,
    p: signTest(better, worse),
    tasks: differences.length,
  };
}

/**
 * Compares what two policies did on the tasks that both tried. Attempts that say nothing about the policy are left
 * out, and with them a task of which no attempt is left on one side.
 */
export function compareTrajectories(
  before: readonly Trajectory[],
  after: readonly Trajectory[],
  options: { seed?: number; resamples?: number } = {},
): Comparison {
  const [first, second] = [successByTask(before), successByTask(after)];
  const shared = [...first.keys()].filter((task) => second.has(task));
  if (shared.length === 0) {
    throw new AttuneError(
      "input",
      `compare: expected tasks that both sides tried, got none among ${first.size} and ${second.size}`,
    );
  }
  return compare(
    shared.map((task) => first.get(task)!),
    shared.map((task) => second.get(task)!),
    options,
  );
}

/** Share of successes of every task that has a valid attempt. */
function successByTask(trajectories: readonly Trajectory[]): Map<string, number> {
  const valid = trajectories.filter(({ reward }) => reward !== null);
  const attempts = Map.groupBy(valid, ({ task }) => `${task.environment}/${task.id}`);
  return new Map(
    [...attempts].map(([task, own]) => [task, own.filter(isSuccess).length / own.length] as const),
  );
}

/** P of a split at least this uneven when both sides are equally likely; in logarithms, as 0.5ⁿ is soon 0. */
function signTest(better: number, worse: number): number {
  const trials = better + worse;
  let logProbability = -trials * Math.LN2;
  let tail = Math.exp(logProbability);
  for (let index = 1; index <= Math.min(better, worse); index++) {
    logProbability += Math.log((trials - index + 1) / index);
    tail += Math.exp(logProbability);
  }
  return Math.min(1, 2 * tail);
}
