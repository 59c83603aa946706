import { createRandom, deriveSeed } from "../../../kit/random.ts";
import { quantile } from "../../../kit/statistics.ts";
import { type Share, type Sums, toSums } from "./weights.ts";

export type Counted = { correct: number; total: number };

const draws = 1000;

/**
 * 95 % of the leaderboard's sums when the items of every category are drawn anew with replacement (percentile
 * bootstrap); a category's draws are binomial, since its items are only right or wrong. What was not asked stays 0.
 */
export function bootstrapSums(counts: ReadonlyMap<string, Counted>): Record<keyof Sums, [number, number]> {
  const random = createRandom(deriveSeed(0, "bfcl-bootstrap"));
  const drawn = Array.from({ length: draws }, () => {
    const shares = new Map<string, Share>();
    for (const [category, { correct, total }] of counts) {
      if (total === 0) continue;
      const chance = correct / total;
      let hits = 0;
      for (let item = 0; item < total; item++) if (random.next() < chance) hits++;
      shares.set(category, { accuracy: hits / total, total });
    }
    return toSums((category) => shares.get(category));
  });
  const interval = (key: keyof Sums): [number, number] => {
    const values = drawn.map((sums) => sums[key]);
    return [quantile(values, 0.025), quantile(values, 0.975)];
  };
  const keys = Object.keys(drawn[0] as Sums) as (keyof Sums)[];
  return Object.fromEntries(keys.map((key) => [key, interval(key)])) as Record<keyof Sums, [number, number]>;
}
