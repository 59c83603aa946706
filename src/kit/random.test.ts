import { describe, expect, it } from "vitest";
import { createRandom, deriveSeed } from "./random.ts";

describe("random", () => {
  it("repeats from the same seed and differs from another", () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed).next);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it("draws uniformly: mean and variance of 100,000 numbers", () => {
    const random = createRandom(1);
    const values = Array.from({ length: 100_000 }, random.next);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it("keeps the parts of a derived seed apart", () => {
    expect(deriveSeed("ab", "c")).not.toBe(deriveSeed("a", "bc"));
    expect(deriveSeed("1")).not.toBe(deriveSeed(1));
    expect(deriveSeed(0, "rollout", 3)).toBe(deriveSeed(0, "rollout", 3));
  });

  it("shuffles without losing or repeating an item", () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = createRandom(3).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
  });
});
