/**
 * Estimators of KL(policy ‖ reference) at a token from d = log p − log p_ref (Schulman 2020, "Approximating KL
 * divergence"): k1 is unbiased and of high variance, k2 of low variance and biased, k3 unbiased and never negative.
 */
export const klEstimators = {
  k1: (difference: number) => difference,
  k2: (difference: number) => difference ** 2 / 2,
  k3: (difference: number) => Math.exp(-bound(difference)) + bound(difference) - 1,
} as const;

/** Keeps e^(−d) finite where reference and policy have nothing in common. */
const bound = (difference: number) => Math.min(10, Math.max(-10, difference));
