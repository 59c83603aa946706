const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];

/**
 * The first key that stands twice in the outermost object of a JSON text, if one does. `JSON.parse` keeps the last of
 * them in silence. The text must be JSON.
 */
export function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // [ and ] are { and } without one bit
    if ((code | 0x20) === 0x7b) depth++;
    else if ((code | 0x20) === 0x7d) depth--;
    if (code !== quote) continue;
    const end = endOfString(text, at);
    if (depth === 1 && isKey(text, end)) {
      // escapes may spell one key in two ways
      const key = JSON.parse(text.slice(at, end)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
    at = end - 1;
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at + 1;
}

function isKey(text: string, after: number): boolean {
  let at = after;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === colon;
}
