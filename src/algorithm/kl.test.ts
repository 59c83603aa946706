import { describe, expect, it } from "vitest";
import { klEstimators } from "./kl.ts";

describe("KL estimators", () => {
  it.each([
    [0.1, 0.1, 0.005, 0.0048374],
    [-0.1, -0.1, 0.005, 0.0051709],
    [0.5, 0.5, 0.125, 0.1065307],
    [-0.5, -0.5, 0.125, 0.1487213],
  ])("at d = %f are k1 = %f, k2 = %f and k3 = %f", (difference, k1, k2, k3) => {
    expect(klEstimators.k1(difference)).toBeCloseTo(k1, 7);
    expect(klEstimators.k2(difference)).toBeCloseTo(k2, 7);
    expect(klEstimators.k3(difference)).toBeCloseTo(k3, 7);
  });

  it("k1 and k3 are unbiased: over all tokens they come to the KL divergence itself", () => {
    const policy = [0.8, 0.1, 0.1];
    const reference = [0.2, 0.2, 0.6];
    const expectationOf = (estimate: (difference: number) => number) =>
      policy.reduce(
        (total, share, index) => total + share * estimate(Math.log(share / reference[index]!)),
        0,
      );
    const divergence = 0.8 * Math.log(4) + 0.1 * Math.log(1 / 2) + 0.1 * Math.log(1 / 6);
    expect(expectationOf(klEstimators.k1)).toBeCloseTo(divergence, 12);
    expect(expectationOf(klEstimators.k3)).toBeCloseTo(divergence, 12);
    expect(Math.abs(expectationOf(klEstimators.k2) - divergence)).toBeGreaterThan(0.01);
  });

  it("k3 is never negative and stays finite where the reference has nothing in common with the policy", () => {
    for (const difference of [-500, -3, -1e-3, 0, 1e-3, 3, 500]) {
      expect(klEstimators.k3(difference)).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(klEstimators.k3(difference))).toBe(true);
    }
  });
});
