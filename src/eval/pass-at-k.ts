import { mean } from "../kit/statistics.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { isSuccess } from "./report.ts";

/** Chance that at least one of k attempts succeeds, from c successes in n attempts (Chen et al. 2021, unbiased). */
export function passAtK(attempts: number, successes: number, k: number): number {
  check(attempts, k);
  return 1 - chooseRatio(attempts - successes, attempts, k);
}

/** Chance that all of k attempts succeed (pass^k, τ-bench). */
export function passHatK(attempts: number, successes: number, k: number): number {
  check(attempts, k);
  return chooseRatio(successes, attempts, k);
}

/** pass@k and pass^k as means over tasks; `tasks` is how many had k attempts that say something about the policy. */
export type Passes = { k: number; passAtK: number; passHatK: number; tasks: number };

/** How often k attempts at a task succeed once, and every time. Both are 0 where no task has k valid attempts. */
export function toPasses(trajectories: readonly Trajectory[], k: number): Passes {
  const valid = trajectories.filter(({ reward }) => reward !== null);
  const counts = [...Map.groupBy(valid, ({ task }) => `${task.environment}/${task.id}`).values()]
    .filter((attempts) => attempts.length >= k)
    .map((attempts) => ({ attempts: attempts.length, successes: attempts.filter(isSuccess).length }));
  const average = (values: number[]) => (values.length > 0 ? mean(values) : 0);
  return {
    k,
    passAtK: average(counts.map(({ attempts, successes }) => passAtK(attempts, successes, k))),
    passHatK: average(counts.map(({ attempts, successes }) => passHatK(attempts, successes, k))),
    tasks: counts.length,
  };
}

/** C(a, k) / C(b, k) without large numbers. */
function chooseRatio(a: number, b: number, k: number): number {
  let ratio = 1;
  for (let index = 0; index < k; index++) ratio *= Math.max(0, a - index) / (b - index);
  return ratio;
}

function check(attempts: number, k: number): void {
  if (!(k >= 1 && k <= attempts))
    throw new AttuneError("usage", `pass@k: expected k between 1 and ${attempts} attempts, got ${k}`);
}
