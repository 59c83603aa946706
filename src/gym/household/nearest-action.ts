/** How an action that cannot be done is mended: by letters, by words, or not at all. */
export const repairs = ["none", "edits", "words"] as const;
export type Repair = (typeof repairs)[number];

/** Below this likeness an action is not one of the admissible ones written badly, but another one. */
export const leastLikeness = 0.6;

/**
 * The admissible action that is most like the one written, or undefined where none is like it. Likeness in 0 to 1 is
 * one less the Levenshtein distance over the longer length (`edits`), or the Dice overlap of the words (`words`).
 * The first of several that are equally like wins.
 */
export function nearestAction(
  written: string,
  { admissible, repair }: { admissible: readonly string[]; repair: Repair },
): string | undefined {
  if (repair === "none") return undefined;
  const likeness = repair === "edits" ? editLikeness : wordLikeness;
  let [best, most] = [undefined as string | undefined, 0];
  for (const action of admissible) {
    const like = likeness(written, action);
    if (like > most) [best, most] = [action, like];
  }
  return most >= leastLikeness ? best : undefined;
}

/** 1 − (Levenshtein distance) / (longer length); 1 for two empty texts. */
export function editLikeness(a: string, b: string): number {
  const longer = Math.max(a.length, b.length);
  if (longer === 0) return 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return 1 - row[b.length]! / longer;
}

/** 2·|shared words| / (words of both), each word as often as it stands there; 1 for two empty texts. */
export function wordLikeness(a: string, b: string): number {
  const [first, second] = [words(a), words(b)];
  if (first.length + second.length === 0) return 1;
  const left = [...second];
  let shared = 0;
  for (const word of first) {
    const at = left.indexOf(word);
    if (at === -1) continue;
    left.splice(at, 1);
    shared++;
  }
  return (2 * shared) / (first.length + second.length);
}

const words = (text: string) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
