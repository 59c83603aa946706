/**
 * A text as SQuAD's evaluation compares it (Rajpurkar et al. 2016, arXiv 1606.05250): lower case, no punctuation, no
 * articles, single spaces. Accents are taken off too.
 */
export const normalise = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[\p{P}\p{S}]/gu, "")
    .replace(/\b(?:a|an|the)\b/g, " ")
    .replace(/\s+/g, " ")
    .trim();

/** Whether a text is one of the answers after both are normalised. No text at all is none of them. */
export function isExactMatch(given: string, answers: readonly string[]): boolean {
  const text = normalise(given);
  return text !== "" && answers.some((answer) => normalise(answer) === text);
}

/** Harmonic mean of the precision and recall of words, as SQuAD counts them: the best over all answers. */
export function wordF1(given: string, answers: readonly string[]): number {
  return Math.max(0, ...answers.map((answer) => f1(words(given), words(answer))));
}

const words = (text: string) => normalise(text).split(" ").filter(Boolean);

function f1(given: readonly string[], expected: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of expected) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of given) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    shared++;
  }
  return shared === 0 ? 0 : (2 * shared) / (given.length + expected.length);
}

/** Whether the words of an answer stand in a text, one after the other. */
export function mentions(text: string, answer: string): boolean {
  const wanted = normalise(answer);
  return wanted !== "" && ` ${normalise(text)} `.includes(` ${wanted} `);
}
