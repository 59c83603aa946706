import type { Random } from "../kit/random.ts";
import { sum } from "../kit/statistics.ts";
import { AttuneError } from "../spec/error.ts";

/** Draws an index, each as often as its weight says against the others'. */
export function drawIndex(weights: readonly number[], random: Random): number {
  let left = random.next() * sum(weights);
  for (const [index, weight] of weights.entries()) {
    if (left < weight) return index;
    left -= weight;
  }
  // rounding may leave a crumb: it belongs to the last that can be drawn
  return weights.findLastIndex((weight) => weight > 0);
}

/** Refuses weights that are no weights, or that are all 0. */
export function checkWeights(weights: Readonly<Record<string, number>>, where: string): void {
  for (const [name, weight] of Object.entries(weights)) {
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new AttuneError("usage", `${where}: expected a weight of 0 or more for "${name}", got ${weight}`);
  }
  if (sum(Object.values(weights)) === 0)
    throw new AttuneError("usage", `${where}: expected a weight above 0, got none`);
}
