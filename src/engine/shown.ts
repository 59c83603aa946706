const longest = 200;

/**
 * A value from a foreign file as an error shows it: on one line and not long, whatever it holds. Strings are quoted,
 * unless `quote` is empty.
 */
export function shown(value: unknown, quote: '"' | "" = '"'): string {
  let text = JSON.stringify(value) ?? String(value);
  if (typeof value === "string" && quote === "") text = text.slice(1, -1).replaceAll('\\"', '"');
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
