import { expect, it } from "vitest";
import { learningRateAt } from "./schedule.ts";

it("warms up linearly, then holds", () => {
  const rates = [0, 1, 3, 4, 50].map((step) =>
    learningRateAt(2, { kind: "constant", warmupSteps: 4 }, step, 100),
  );
  expect(rates).toEqual([0.5, 1, 2, 2, 2]);
});

it("falls by a cosine from the peak to the floor", () => {
  const at = (step: number) => learningRateAt(1, { kind: "cosine", warmupSteps: 10, floor: 0.1 }, step, 110);
  expect(at(10)).toBe(1);
  expect(at(60)).toBeCloseTo(0.55, 10);
  expect(at(110)).toBeCloseTo(0.1, 10);
  expect(at(500)).toBeCloseTo(0.1, 10);
});
