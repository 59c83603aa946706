import { createRandom } from "../kit/random.ts";
import { mean, quantile } from "../kit/statistics.ts";

/** Two policies on the same tasks: mean difference with a bootstrapped 95 % interval, and McNemar's exact p. */
export type Comparison = {
  difference: number;
  low: number;
  high: number;
  better: number;
  worse: number;
  p: number;
};

/** Compares successes task by task; `before` and `after` are in the same order. */
export function compare(
  before: readonly boolean[],
  after: readonly boolean[],
  { seed = 0, resamples = 2000 } = {},
): Comparison {
  if (before.length !== after.length || before.length === 0) {
    throw new RangeError(`expected the same tasks on both sides, got ${before.length} and ${after.length}`);
  }
  const differences = before.map((success, index) => Number(after[index]) - Number(success));
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
    p: binomialTwoSided(Math.min(better, worse), better + worse),
  };
}

/** P of a split at least this uneven when both sides are equally likely. */
function binomialTwoSided(fewer: number, trials: number): number {
  let probability = 0.5 ** trials;
  let tail = probability;
  for (let index = 1; index <= fewer; index++) {
    probability *= (trials - index + 1) / index;
    tail += probability;
  }
  return Math.min(1, 2 * tail);
}
