/**
 * How alike two texts are in 0 to 100, whatever the order of their words and whatever words only one of them has:
 * the best ratio among the shared words, the shared words with the rest of one, and those with the rest of the other
 * (the token set ratio of fuzzywuzzy and rapidfuzz). So a text is wholly like any that holds all of its words.
 */
export function tokenSetRatio(a: string, b: string): number {
  const [first, second] = [wordSet(a), wordSet(b)];
  if (first.size === 0 || second.size === 0) return 0;
  const shared = [...first].filter((word) => second.has(word)).sort();
  const rest = (words: Set<string>) => [...words].filter((word) => !shared.includes(word)).sort();
  const common = shared.join(" ");
  const [left, right] = [rest(first), rest(second)].map((words) => [...shared, ...words].join(" "));
  const ratios = [ratio(left!, right!)];
  if (shared.length > 0) ratios.push(ratio(common, left!), ratio(common, right!));
  return Math.max(...ratios);
}

/** 100 · 2·LCS / (length of both), the indel ratio. */
export function ratio(a: string, b: string): number {
  const both = a.length + b.length;
  if (both === 0) return 100;
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (let i = 1; i <= a.length; i++) {
    const next = [0];
    for (let j = 1; j <= b.length; j++)
      next.push(a[i - 1] === b[j - 1] ? row[j - 1]! + 1 : Math.max(row[j]!, next[j - 1]!));
    row = next;
  }
  return (100 * 2 * row[b.length]!) / both;
}

const wordSet = (text: string) => new Set(text.toLowerCase().match(/[a-z0-9]+/g) ?? []);
