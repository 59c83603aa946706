/** Ranks documents for a query. */
export type SearchIndex = {
  /** Numbers of the best documents, best first; of two that are equally good the earlier one. */
  search(query: string, options: { most: number }): number[];
};

/** How soon a repeated word stops to count, and how much a long document is held against it (BM25's k1 and b). */
const [saturation, lengthShare] = [1.2, 0.75];

type Posting = { documents: number[]; counts: number[] };

/**
 * An inverted index ranked by BM25 (Robertson and Zaragoza 2009), with idf = ln(1 + (N − n + ½)/(n + ½)). Words are
 * matched after case and a plural s are taken away; a word counts once in a query.
 */
export function createSearchIndex(documents: readonly string[]): SearchIndex {
  const postings = new Map<string, Posting>();
  const lengths = documents.map((text, document) => {
    const terms = termsOf(text);
    for (const term of terms) {
      const posting = postings.get(term) ?? { documents: [], counts: [] };
      postings.set(term, posting);
      if (posting.documents.at(-1) === document) posting.counts[posting.counts.length - 1]!++;
      else {
        posting.documents.push(document);
        posting.counts.push(1);
      }
    }
    return terms.length;
  });
  const meanLength = lengths.reduce((total, length) => total + length, 0) / Math.max(1, lengths.length);
  // one search runs at a time, and leaves this as it was
  const scores = new Float64Array(documents.length);

  return {
    search(query, { most }) {
      const found: number[] = [];
      for (const term of new Set(termsOf(query))) {
        const posting = postings.get(term);
        if (!posting) continue;
        const matching = posting.documents.length;
        const idf = Math.log(1 + (documents.length - matching + 0.5) / (matching + 0.5));
        for (const [at, document] of posting.documents.entries()) {
          const count = posting.counts[at]!;
          const norm = saturation * (1 - lengthShare + (lengthShare * lengths[document]!) / meanLength);
          if (scores[document] === 0) found.push(document);
          scores[document]! += (idf * count * (saturation + 1)) / (count + norm);
        }
      }
      const best = found.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, most);
      for (const document of found) scores[document] = 0;
      return best;
    },
  };
}

/** Words that say nothing about a product. */
const stopWords = new Set(
  "a an and are as at be by for i in is it me my of on or so than that the this to want with you looking need find buy price lower dollars".split(
    " ",
  ),
);

/** Words of a text in lower case without a plural s, without those that say nothing. */
export const termsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[a-z0-9]+/g) ?? [])
    .filter((word) => !stopWords.has(word))
    .map((word) =>
      word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word,
    );
