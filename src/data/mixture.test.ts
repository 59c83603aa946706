import { describe, expect, it } from "vitest";
import { mixture } from "./mixture.ts";

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const agent = { name: "agent", examples: numbered("a", 10), weight: 1 };
const general = { name: "general", examples: numbered("g", 25), weight: 4 };
const take = <Example>(at: (position: number) => Example, count: number) =>
  Array.from({ length: count }, (_, position) => at(position));

describe("a mixture", () => {
  it("keeps the weights example by example: 100,000 draws are within four standard errors", () => {
    const sources = [
      { name: "a", examples: ["a"], weight: 0.2 },
      { name: "b", examples: ["b"], weight: 0.5 },
      { name: "c", examples: ["c"], weight: 0.3 },
    ];
    const draws = take(mixture(sources, { seed: 1 }), 100_000);
    for (const { name, weight } of sources) {
      const share = draws.filter((draw) => draw === name).length / draws.length;
      expect(Math.abs(share - weight)).toBeLessThan(4 * Math.sqrt((weight * (1 - weight)) / draws.length));
    }
    const repeats = draws.filter((draw, index) => index > 0 && draw === draws[index - 1]).length;
    expect(repeats / draws.length).toBeCloseTo(0.2 ** 2 + 0.5 ** 2 + 0.3 ** 2, 1);
  });

  it("passes through every source in full before one of its examples comes again, each time in a new order", () => {
    const draws = take(mixture([agent, general], { seed: 3 }), 400).filter((draw) => draw.startsWith("a"));
    expect(draws.length).toBeGreaterThan(30);
    const passes = [0, 10, 20].map((start) => draws.slice(start, start + 10));
    for (const pass of passes) expect(pass.toSorted()).toEqual(agent.examples);
    expect(new Set(passes.map(String)).size).toBe(3);
  });

  it("is the same for a seed, in whatever order its positions are read", () => {
    const forward = take(mixture([agent, general], { seed: 5 }), 300);
    const at = mixture([agent, general], { seed: 5 });
    const backward = Array.from({ length: 300 }, (_, index) => at(299 - index)).reverse();
    expect(backward).toEqual(forward);
    expect(take(mixture([agent, general], { seed: 6 }), 300)).not.toEqual(forward);
  });

  it("of one source is that source, shuffled", () => {
    const draws = take(mixture([agent], { seed: 2 }), 10);
    expect(draws.toSorted()).toEqual(agent.examples);
    expect(draws).not.toEqual(agent.examples);
  });

  it("never draws from a weight of 0, whether or not there are examples", () => {
    const draws = take(mixture([agent, { ...general, weight: 0, examples: [] }], { seed: 1 }), 100);
    expect(draws.every((draw) => draw.startsWith("a"))).toBe(true);
  });

  it("refuses a source without examples, a weight below 0, and nothing to draw from", () => {
    const refusal =
      (...sources: (typeof agent)[]) =>
      () =>
        mixture(sources, { seed: 0 });
    expect(refusal({ ...agent, examples: [] })).toThrow('"agent" has weight 1 and no examples');
    expect(refusal({ ...agent, weight: -1 })).toThrow('expected a weight of 0 or more for "agent", got -1');
    expect(refusal({ ...agent, weight: Number.NaN })).toThrow("got NaN");
    expect(refusal({ ...agent, weight: 0 })).toThrow("expected a weight above 0, got none");
  });
});
