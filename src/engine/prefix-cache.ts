import type { StoredRow } from "./key-value-cache.ts";

/**
 * Rows that have been sampled, kept for prompts that go on from them: the next turn of a conversation finds all
 * of its past here. Least recently used rows go first when the byte budget is reached.
 */
export function createPrefixCache({ bytes }: { bytes: number }) {
  const rows = new Set<StoredRow>();
  let used = 0;
  const remove = (row: StoredRow): boolean => {
    const found = rows.delete(row);
    if (found) used -= sizeOf(row);
    return found;
  };

  return {
    /** The stored row that shares the longest prefix with a prompt, and its length (0 where none does). */
    find(prompt: Int32Array): { row: StoredRow; length: number } | undefined {
      let best: { row: StoredRow; length: number } | undefined;
      for (const row of rows) {
        const length = sharedPrefix(row.tokens, prompt);
        if (length > (best?.length ?? 0)) best = { row, length };
      }
      if (!best) return undefined;
      rows.delete(best.row);
      rows.add(best.row);
      // the last token of a prompt is always run: its logits are what is sampled from
      return { row: best.row, length: Math.min(best.length, prompt.length - 1) };
    },
    keep(row: StoredRow): void {
      if (sizeOf(row) > bytes) return;
      rows.add(row);
      used += sizeOf(row);
      for (const oldest of rows) {
        if (used <= bytes) break;
        remove(oldest);
      }
    },
    /** Forgets a row that a longer one takes the place of; false if it was not there. */
    remove,
    bytesUsed: () => used,
  };
}

function sharedPrefix(a: Int32Array, b: Int32Array): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}

function sizeOf({ tokens, keys, values }: StoredRow): number {
  return tokens.byteLength + [...keys, ...values].reduce((total, { byteLength }) => total + byteLength, 0);
}
