import { describe, expect, it } from "vitest";
import { mean, standardDeviation } from "../kit/statistics.ts";
import type { Credit } from "../spec/algorithm.ts";
import { grpo } from "./grpo.ts";
import { normalizedPerEnvironment } from "./per-environment.ts";
import { type Credited, whiten } from "./whiten.ts";

const credited = (credit: Credit, turnTokens: readonly number[], environment = "a"): Credited => ({
  scored: { reward: 0, task: "task", environment, turnTokens },
  credit,
});

/** Credit laid out over tokens. */
const perToken = (batch: readonly Credited[], credits: readonly Credit[]) =>
  credits.flatMap((credit, index) => {
    const { turnTokens } = batch[index]!.scored;
    if (credit.level === "token") return [...credit.values];
    return turnTokens.flatMap((tokens, turn) =>
      Array.from({ length: tokens }, () => (credit.level === "turn" ? credit.values[turn]! : credit.value)),
    );
  });

describe("whitening", () => {
  it("gives the batch's tokens mean 0 and variance 1, at whatever level credit was given", () => {
    const batch = [
      credited({ level: "trajectory", value: 3 }, [2, 1]),
      credited({ level: "turn", values: [-1, 4] }, [1, 5]),
      credited({ level: "token", values: Float32Array.of(0, 2, 7) }, [3]),
    ];
    for (const variance of ["unbiased", "population"] as const) {
      const values = perToken(batch, whiten(batch, { variance }));
      expect(values).toHaveLength(12);
      expect(mean(values)).toBeCloseTo(0, 6);
      expect(standardDeviation(values, variance)).toBeCloseTo(1, 5);
    }
  });

  it("keeps the order of what it is given, and its levels", () => {
    const batch = [
      credited({ level: "turn", values: [1, 2] }, [1, 1]),
      credited({ level: "trajectory", value: 9 }, [4]),
    ];
    const [turns, trajectory] = whiten(batch);
    expect([turns!.level, trajectory!.level]).toEqual(["turn", "trajectory"]);
    const values = perToken(batch, [turns!, trajectory!]);
    expect(values.toSorted((a, b) => a - b)).toEqual(values);
  });

  it("makes zero of a batch in which everything earned the same, and not infinity", () => {
    const batch = [1, 1, 1].map((value) => credited({ level: "trajectory", value }, [2]));
    expect(whiten(batch).map((credit) => credit.level === "trajectory" && credit.value)).toEqual([0, 0, 0]);
  });
});

describe("normalisation per environment", () => {
  it("gives each environment's tokens the same spread, whatever the scale of its advantages", () => {
    const advantages = { a: [1, 1, -1], b: [0.1, -0.1] };
    const batch = Object.entries(advantages).flatMap(([environment, values]) =>
      values.map((value) => credited({ level: "trajectory", value }, [1], environment)),
    );
    const values = normalizedPerEnvironment(grpo()).finish!(batch).map((credit) =>
      credit.level === "trajectory" ? credit.value : Number.NaN,
    );
    const expected = [0.57735, 0.57735, -1.1547, Math.SQRT1_2, -Math.SQRT1_2];
    expect(values).toEqual(expected.map((value) => expect.closeTo(value, 4)));
  });

  it("works over an algorithm that looks at the batch itself, and leaves its other choices alone", () => {
    const inner = { ...grpo(), finish: (batch: readonly Credited[]) => whiten(batch) };
    const wrapped = normalizedPerEnvironment(inner);
    const batch = [5, 1, 0, 1].map((value, index) =>
      credited({ level: "trajectory", value }, [1 + index], index < 2 ? "a" : "b"),
    );
    const values = perToken(batch, wrapped.finish!(batch));
    expect(mean(values.slice(0, 3))).toBeCloseTo(0, 6);
    expect(mean(values.slice(3))).toBeCloseTo(0, 6);
    expect(wrapped).toMatchObject({
      loss: inner.loss,
      aggregation: inner.aggregation,
      learnsFromTies: false,
    });
  });
});
