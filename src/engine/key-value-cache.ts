import type { ModelConfig } from "./model.ts";

/** Keys and values of one conversation's tokens: per layer [K, C, d] each, with room for C ≥ n tokens. */
export type StoredRow = {
  tokens: Int32Array;
  keys: Float32Array[];
  values: Float32Array[];
  capacity: number;
};

/** A row of an array [rows, K, capacity, d] of keys and one of values. */
type Place = { keys: Float32Array; values: Float32Array; row: number; capacity: number };

/**
 * Keys and values of the rows that are being sampled: per layer [rows, K, C, d] each. Rows are dense from 0, so the
 * first B of them are a view that is handed over without a copy. C grows in blocks.
 */
export function createKeyValueCache(config: ModelConfig, { rows }: { rows: number }) {
  const { layers, keyValueHeads, headSize } = config;
  const block = 64;
  let capacity = 0;
  const keys: Float32Array[] = [];
  const values: Float32Array[] = [];

  const place = (layer: number, row: number): Place => ({
    keys: keys[layer]!,
    values: values[layer]!,
    row,
    capacity,
  });

  /** Copies `count` tokens of a row, head by head, from position `from` to position `to` of another. */
  const copyTokens = (source: Place, target: Place, count: number, { from = 0, to = 0 } = {}) => {
    for (let head = 0; head < keyValueHeads; head++) {
      const start = ((source.row * keyValueHeads + head) * source.capacity + from) * headSize;
      const end = start + count * headSize;
      const at = ((target.row * keyValueHeads + head) * target.capacity + to) * headSize;
      target.keys.set(source.keys.subarray(start, end), at);
      target.values.set(source.values.subarray(start, end), at);
    }
  };

  return {
    capacity: () => capacity,

    /** Makes room for `length` tokens a row; what the first `used` rows hold (`lengths` tokens each) is kept. */
    reserve(length: number, lengths: readonly number[]): void {
      const wanted = Math.max(block, Math.ceil(length / block) * block);
      if (wanted <= capacity && (lengths.length > 0 || wanted === capacity)) return;
      const size = rows * keyValueHeads * headSize * wanted;
      const fresh = (old: Float32Array | undefined) =>
        lengths.length === 0 && old && old.buffer.byteLength >= size * 4
          ? new Float32Array(old.buffer as ArrayBuffer, 0, size)
          : new Float32Array(size);
      for (let layer = 0; layer < layers; layer++) {
        const next = { keys: fresh(keys[layer]), values: fresh(values[layer]), capacity: wanted };
        for (const [row, used] of lengths.entries()) copyTokens(place(layer, row), { ...next, row }, used);
        keys[layer] = next.keys;
        values[layer] = next.values;
      }
      capacity = wanted;
    },

    /** Views of rows [from, from + count) of a layer. */
    view(layer: number, from: number, count: number) {
      const stride = keyValueHeads * headSize * capacity;
      const [start, end] = [from * stride, (from + count) * stride];
      return { keys: keys[layer]!.subarray(start, end), values: values[layer]!.subarray(start, end) };
    },

    /** Appends what a run returned for one of its rows, [K, T, d] each, the first `count` of its T tokens. */
    append(layer: number, target: { row: number; length: number }, source: Place, count: number): void {
      copyTokens(source, place(layer, target.row), count, { to: target.length });
    },

    /** Copies the first `length` tokens of a row over another row. */
    copy(from: number, to: number, length: number): void {
      for (let layer = 0; layer < layers; layer++) copyTokens(place(layer, from), place(layer, to), length);
    },

    /** Copies a row out. `earlier`, where given, holds the row's beginning and is grown in place if it has room. */
    store(row: number, tokens: Int32Array, earlier?: StoredRow): StoredRow {
      const grows = earlier !== undefined && earlier.capacity >= tokens.length;
      const room = grows ? earlier.capacity : Math.ceil((1.25 * tokens.length) / block) * block;
      const from = grows ? earlier.tokens.length : 0;
      // not zeroed: what lies beyond the tokens is never read
      const array = () =>
        new Float32Array(Buffer.allocUnsafeSlow(4 * room * keyValueHeads * headSize).buffer);
      const stored: StoredRow = { tokens, keys: [], values: [], capacity: room };
      for (let layer = 0; layer < layers; layer++) {
        stored.keys.push(grows ? earlier.keys[layer]! : array());
        stored.values.push(grows ? earlier.values[layer]! : array());
        const target = placeOf(stored, layer);
        copyTokens(place(layer, row), target, tokens.length - from, { from, to: from });
      }
      return stored;
    },

    restore(stored: StoredRow, row: number, length: number): void {
      for (let layer = 0; layer < layers; layer++)
        copyTokens(placeOf(stored, layer), place(layer, row), length);
    },
  };
}

const placeOf = ({ keys, values, capacity }: StoredRow, layer: number): Place => ({
  keys: keys[layer]!,
  values: values[layer]!,
  row: 0,
  capacity,
});
