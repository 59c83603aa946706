import type { Loss, TrainRow } from "../spec/trainer.ts";

export type BuiltInLoss = Exclude<Loss, { name: "custom" }>;

/**
 * What a built-in loss says of a row, straight from the formulas of the contract: p are the log-probabilities of the
 * targets. In double precision and one position at a time, to hold faster implementations to.
 */
export function lossOf(loss: BuiltInLoss, row: TrainRow, logprobs: Float32Array): number {
  let total = 0;
  for (const [at, weight] of row.weights.entries()) {
    if (weight === 0) continue;
    const p = logprobs[at]!;
    const q = row.logprobs?.[at] ?? p;
    const advantage = row.advantages?.[at] ?? 0;
    total -= weight * gainOf(loss, { p, q, advantage });
  }
  return total;
}

function gainOf(loss: BuiltInLoss, { p, q, advantage }: { p: number; q: number; advantage: number }): number {
  const ratio = Math.exp(clamp(p - q, -20, 20));
  switch (loss.name) {
    case "cross_entropy":
      return p;
    case "importance_sampling":
      return ratio * advantage;
    case "ppo": {
      const clipped = Math.min(ratio * advantage, clamp(ratio, loss.clipLow, loss.clipHigh) * advantage);
      if (loss.dualClip === undefined || advantage >= 0) return clipped;
      return Math.max(clipped, loss.dualClip * advantage);
    }
    case "cispo":
      return clamp(ratio, loss.clipLow, loss.clipHigh) * advantage * p;
    case "dro":
      return p * advantage - 0.5 * loss.beta * (p - q) ** 2;
  }
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
