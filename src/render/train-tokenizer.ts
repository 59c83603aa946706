import { AttuneError } from "../spec/error.ts";
import { byteCharacters, textToSpelling } from "./byte-level.ts";

/**
 * How text is cut before pairs are merged: a word (with a dot before it, as in a file's ending) is one piece
 * whatever stands beside it, so it has the same tokens after a space, a quote or a slash, and copying it is exact.
 * Digits stand alone; so does every space and newline.
 */
const splitPattern = "\\.?\\p{L}+|\\p{N}| |\\n|[^\\p{L}\\p{N} \\n]+";

export type TokenizerTraining = {
  /** Most entries; less text makes fewer. */
  vocabularySize: number;
  /** One id each, from 0 on, cut out of the text before anything else. */
  specialTokens: readonly string[];
};

/** Trains a byte-level BPE vocabulary (Sennrich et al. 2016) and returns the content of a tokenizer.json. */
export function trainTokenizer(
  texts: Iterable<string>,
  { vocabularySize, specialTokens }: TokenizerTraining,
): object {
  const base = [...specialTokens, ...byteCharacters];
  if (vocabularySize < base.length) {
    throw new AttuneError(
      "usage",
      `a byte-level vocabulary with ${specialTokens.length} special tokens needs at least ${base.length} entries, got ${vocabularySize}`,
    );
  }
  const merges = learnMerges(countWords(texts, specialTokens), vocabularySize - base.length);
  const spellings = [...base, ...merges.map(([left, right]) => left + right)];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: splitPattern }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
      merges,
    },
  };
}

function countWords(texts: Iterable<string>, specialTokens: readonly string[]): Map<string, number> {
  const escaped = specialTokens.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const special = new RegExp(escaped.join("|") || "(?!)", "g");
  const pieces = new RegExp(splitPattern, "gu");
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const part of text.split(special)) {
      for (const [word] of part.matchAll(pieces)) {
        const spelling = textToSpelling(word);
        counts.set(spelling, (counts.get(spelling) ?? 0) + 1);
      }
    }
  }
  return counts;
}

/** The most frequent adjacent pair is merged, over and over; ties go to the pair that sorts first. */
function learnMerges(counts: ReadonlyMap<string, number>, wanted: number): [string, string][] {
  const words = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, count]) => ({ symbols: Array.from(word), count }));
  const pairs = new Map<string, { count: number; words: Set<number> }>();
  const change = (left: string, right: string, word: number, by: number) => {
    const key = `${left} ${right}`;
    const pair = pairs.get(key) ?? { count: 0, words: new Set() };
    pair.count += by;
    pair.words.add(word);
    if (pair.count > 0) pairs.set(key, pair);
    else pairs.delete(key);
  };
  const countPairs = (index: number, sign: 1 | -1) => {
    const { symbols, count } = words[index]!;
    for (let at = 0; at + 1 < symbols.length; at++)
      change(symbols[at]!, symbols[at + 1]!, index, sign * count);
  };
  for (const index of words.keys()) countPairs(index, 1);

  const merges: [string, string][] = [];
  while (merges.length < wanted) {
    let best: string | undefined;
    let most = 0;
    for (const [key, { count }] of pairs) {
      if (count > most || (count === most && best !== undefined && key < best)) [best, most] = [key, count];
    }
    // little text: the vocabulary stays smaller than it may be
    if (best === undefined) break;
    const [left, right] = best.split(" ") as [string, string];
    merges.push([left, right]);
    for (const index of pairs.get(best)!.words) {
      countPairs(index, -1);
      words[index]!.symbols = mergePair(words[index]!.symbols, left, right);
      countPairs(index, 1);
    }
  }
  return merges;
}

function mergePair(symbols: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let at = 0; at < symbols.length; at++) {
    if (symbols[at] === left && symbols[at + 1] === right) {
      merged.push(left + right);
      at++;
    } else merged.push(symbols[at]!);
  }
  return merged;
}
