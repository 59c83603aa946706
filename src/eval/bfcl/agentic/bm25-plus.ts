import { PythonError } from "../python/error.ts";
import { naturalLogarithm } from "../python/logarithm.ts";

const [k1, b, delta] = [1.5, 0.75, 1];

/**
 * How well each document answers the query: BM25+ (Lv and Zhai, 2011) with the constants and the order of operations
 * of the library that the benchmark uses, so that scores are the same floats. Documents and query are lists of words.
 */
export function bm25Plus(documents: readonly (readonly string[])[], query: readonly string[]): number[] {
  if (documents.length === 0) throw new PythonError("ZeroDivisionError", "division by zero");
  const words = documents.reduce((total, document) => total + document.length, 0);
  const averageLength = words / documents.length;
  const frequencies = documents.map((document) => {
    const counts = new Map<string, number>();
    for (const word of document) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  });
  const scores = documents.map(() => 0);
  for (const word of query) {
    const holding = frequencies.filter((counts) => counts.has(word)).length;
    const rarity = holding === 0 ? 0 : naturalLogarithm((documents.length + 1) / holding);
    for (const [index, document] of documents.entries()) {
      const times = frequencies[index]!.get(word) ?? 0;
      const length = 1 - b + (b * document.length) / averageLength;
      scores[index]! += rarity * (delta + (times * (k1 + 1)) / (k1 * length + times));
    }
  }
  return scores;
}
