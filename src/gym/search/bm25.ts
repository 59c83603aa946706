/** Ranks documents for a query. Built once, read by all sessions. */
export type Bm25Index = {
  /** The best documents by number with their scores, best first; of two that are equally good the earlier one. */
  search(query: string, options: { top: number }): { document: number; score: number }[];
};

/** How soon a repeated word stops to count (k1), and how much a long document is held against it (b). */
export type Bm25Parameters = { k1?: number; b?: number };

type Posting = { documents: number[]; counts: number[] };

/**
 * An inverted index ranked by BM25: Σ over the query's words of idf · f·(k1 + 1) / (f + k1·(1 − b + b·L/mean L)), with
 * idf = ln(1 + (N − n + ½)/(n + ½)), f the times a document of L words has the word, n the documents that have it
 * (Robertson and Zaragoza 2009, doi 10.1561/1500000019; the 1 in idf keeps it above 0, as in Lucene). k1 1.2, b 0.75.
 */
export function createBm25(texts: readonly string[], { k1 = 1.2, b = 0.75 }: Bm25Parameters = {}): Bm25Index {
  const postings = new Map<string, Posting>();
  const lengths = texts.map((text, document) => {
    const words = wordsOf(text);
    for (const word of words) {
      const posting = postings.get(word) ?? { documents: [], counts: [] };
      postings.set(word, posting);
      if (posting.documents.at(-1) === document) posting.counts[posting.counts.length - 1]!++;
      else {
        posting.documents.push(document);
        posting.counts.push(1);
      }
    }
    return words.length;
  });
  const meanLength = lengths.reduce((total, length) => total + length, 0) / Math.max(1, lengths.length);
  // one search runs at a time, and leaves this as it was
  const scores = new Float64Array(texts.length);

  return {
    search(query, { top }) {
      const found: number[] = [];
      for (const word of new Set(wordsOf(query))) {
        const posting = postings.get(word);
        if (!posting) continue;
        const having = posting.documents.length;
        const idf = Math.log(1 + (texts.length - having + 0.5) / (having + 0.5));
        for (const [at, document] of posting.documents.entries()) {
          const count = posting.counts[at]!;
          const norm = k1 * (1 - b + (b * lengths[document]!) / meanLength);
          if (scores[document] === 0) found.push(document);
          scores[document]! += (idf * count * (k1 + 1)) / (count + norm);
        }
      }
      const best = found
        .sort((one, other) => scores[other]! - scores[one]! || one - other)
        .slice(0, top)
        .map((document) => ({ document, score: scores[document]! }));
      for (const document of found) scores[document] = 0;
      return best;
    },
  };
}

/** Words without which a text says the same. */
const stopWords = new Set(
  "a an and are as at be by did do does for from has he her his in into is it its of on or she that the their they this to was were what when where which who whom whose will with".split(
    " ",
  ),
);

/** Words of a text in lower case, without accents, stop words and a plural s. */
export const wordsOf = (text: string): string[] =>
  (
    text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
    .filter((word) => !stopWords.has(word))
    .map((word) =>
      word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word,
    );
