import { describe, expect, it } from "vitest";
import { mean, median, quantile, standardDeviation, wilsonInterval } from "./statistics.ts";

describe("statistics", () => {
  it("has the mean, median and both standard deviations of a small sample", () => {
    expect(mean([1, 2, 3, 6])).toBe(3);
    expect(median([3, 1, 2])).toBe(2);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(standardDeviation([1, 0, 0, 1])).toBeCloseTo(0.57735, 5);
    expect(standardDeviation([1, 0, 0, 1], "population")).toBe(0.5);
    expect(standardDeviation([4])).toBe(0);
  });

  it("gives Wilson's interval, inside [0, 1] even at the ends", () => {
    const { low, high } = wilsonInterval(8, 10);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
    for (const trials of [6, 20, 150]) expect(wilsonInterval(0, trials).low).toBe(0);
    expect(wilsonInterval(20, 20).high).toBe(1);
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});
