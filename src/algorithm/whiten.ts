import type { Credit, ScoredTrajectory } from "../spec/algorithm.ts";

export type Credited = { scored: ScoredTrajectory; credit: Credit };

/**
 * Shifts and scales credit to mean 0 and variance 1 over every token that the policy wrote in the batch: long
 * trajectories count for more, as they do in the loss. `unbiased` divides by n − 1.
 */
export function whiten(
  batch: readonly Credited[],
  { variance = "unbiased" }: { variance?: "unbiased" | "population" } = {},
): Credit[] {
  let count = 0;
  let total = 0;
  eachToken(batch, (value, times) => {
    count += times;
    total += value * times;
  });
  const center = total / count;
  let squares = 0;
  eachToken(batch, (value, times) => {
    squares += times * (value - center) ** 2;
  });
  const divisor = variance === "unbiased" ? count - 1 : count;
  const spread = Math.sqrt(Math.max(squares / Math.max(1, divisor), 1e-8));
  return batch.map(({ credit }) => mapCredit(credit, (value) => (value - center) / spread));
}

export function mapCredit(credit: Credit, change: (value: number) => number): Credit {
  if (credit.level === "trajectory") return { level: "trajectory", value: change(credit.value) };
  if (credit.level === "turn") return { level: "turn", values: credit.values.map(change) };
  return { level: "token", values: credit.values.map(change) };
}

function eachToken(batch: readonly Credited[], visit: (value: number, times: number) => void): void {
  for (const { scored, credit } of batch) {
    if (credit.level === "trajectory")
      visit(
        credit.value,
        scored.turnTokens.reduce((total, tokens) => total + tokens, 0),
      );
    else if (credit.level === "turn")
      for (const [turn, value] of credit.values.entries()) visit(value, scored.turnTokens[turn]!);
    else for (const value of credit.values) visit(value, 1);
  }
}
