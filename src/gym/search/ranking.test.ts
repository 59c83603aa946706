import { describe, expect, it } from "vitest";
import { createBm25, wordsOf } from "./bm25.ts";
import { isExactMatch, mentions, normalise, wordF1 } from "./match-answer.ts";
import { noiseAt } from "./noise.ts";

describe("BM25", () => {
  const texts = ["cat cat dog", "cat bird", "fish", "dog dog dog dog bird fish"];

  it("scores as worked out by hand", () => {
    // N 4, mean length 3; cat is in 2: idf ln(1 + 2.5/2.5) = 0.693147
    // document 0: f 2, L 3: 0.693147 · 2 · 2.2 / (2 + 1.2) = 0.953077
    // document 1: f 1, L 2: 0.693147 · 1 · 2.2 / (1 + 1.2 · (0.25 + 0.75 · 2/3)) = 0.802591
    const found = createBm25(texts).search("cat", { top: 5 });
    expect(found.map(({ document }) => document)).toEqual([0, 1]);
    expect(found[0]!.score).toBeCloseTo(0.953077, 6);
    expect(found[1]!.score).toBeCloseTo(0.802591, 6);
  });

  it("adds up words, each of which counts once in a query", () => {
    const index = createBm25(texts);
    const [both] = index.search("bird cat", { top: 1 });
    expect(both).toMatchObject({ document: 1 });
    expect(both!.score).toBeCloseTo(1.605183, 6);
    expect(index.search("cat cat cat", { top: 5 })).toEqual(index.search("cat", { top: 5 }));
  });

  it("takes k1 and b: at k1 0 only whether a word is there, at b 0 no length", () => {
    expect(createBm25(texts, { k1: 0 }).search("cat", { top: 2 })[0]!.score).toBeCloseTo(Math.LN2, 9);
    const [, second] = createBm25(texts, { b: 0 }).search("cat", { top: 2 });
    expect(second!.score).toBeCloseTo((Math.LN2 * 2.2) / 2.2, 9);
  });

  it("finds nothing for words that are nowhere, for stop words, and in no documents", () => {
    expect(createBm25(texts).search("zebra", { top: 3 })).toEqual([]);
    expect(createBm25(texts).search("who is the", { top: 3 })).toEqual([]);
    expect(createBm25([]).search("cat", { top: 3 })).toEqual([]);
  });

  it("gives the earlier of two that are equally good first, and leaves no trace of a search", () => {
    const index = createBm25(["owl", "owl", "owl"]);
    expect(index.search("owl", { top: 2 }).map(({ document }) => document)).toEqual([0, 1]);
    expect(index.search("owl", { top: 2 })).toEqual(index.search("owl", { top: 2 }));
  });

  it("evens out case, accents and a plural s", () => {
    expect(wordsOf("The Cafés of São-Paulo, glass 1893")).toEqual(["cafe", "sao", "paulo", "glass", "1893"]);
    expect(wordsOf("東京 Привет")).toEqual(["東京", "привет"]);
  });
});

describe("answers", () => {
  it("are the same without case, articles, punctuation and accents", () => {
    expect(normalise("  The  Café, St. Mary's! ")).toBe("cafe st marys");
    expect(isExactMatch("the Amber Orchard.", ["Amber Orchard"])).toBe(true);
    expect(isExactMatch("Orchard", ["Amber Orchard", "orchard"])).toBe(true);
    expect(isExactMatch("Amber Orchard or Pale Tide", ["Amber Orchard"])).toBe(false);
    expect(isExactMatch("", [""])).toBe(false);
    expect(isExactMatch("the", ["a"])).toBe(false);
  });

  it("share words as SQuAD counts them", () => {
    // 2 of 3 given words, 2 of 2 expected: 2·2 / (3 + 2)
    expect(wordF1("Ada Klorn, botanist", ["Ada Klorn"])).toBeCloseTo(0.8, 9);
    expect(wordF1("Ada Ada", ["Ada Klorn"])).toBeCloseTo(0.5, 9);
    expect(wordF1("Klorn", ["Bress", "Ada Klorn"])).toBeCloseTo(2 / 3, 9);
    expect(wordF1("", ["Ada"])).toBe(0);
  });

  it("stand in a text as whole words in their order", () => {
    expect(mentions("It was founded in 1893.", "1893")).toBe(true);
    expect(mentions("It was founded in 18930.", "1893")).toBe(false);
    expect(mentions("Klorn, Ada", "Ada Klorn")).toBe(false);
    expect(mentions("anything", "the")).toBe(false);
  });
});

describe("the noise curriculum", () => {
  const zeroSearch = { start: 0, end: 0.5, base: 4 };

  it.each([
    [0, 0],
    [0.25, 0.069],
    [0.5, 0.1667],
    [0.75, 0.3047],
    [1, 0.5],
  ])("is ZeroSearch's: at %d a chance of %d", (progress, chance) => {
    expect(noiseAt(progress, zeroSearch)).toBeCloseTo(chance, 4);
  });

  it("is a straight line at base 1, falls where it starts above its end, and stays within its ends", () => {
    expect(noiseAt(0.5, { ...zeroSearch, base: 1 })).toBe(0.25);
    expect(noiseAt(0.5, { ...zeroSearch, base: 1.000001 })).toBeCloseTo(0.25, 5);
    expect(noiseAt(1, { start: 0.8, end: 0.2, base: 4 })).toBeCloseTo(0.2, 9);
    expect([noiseAt(-3, zeroSearch), noiseAt(7, zeroSearch)]).toEqual([0, 0.5]);
  });
});
