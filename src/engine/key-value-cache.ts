import type { ModelConfig } from "./model.ts";

/** Keys and values of one row's tokens, laid out without gaps: per layer keys [K, d, n] and values [K, n, d]. */
export type StoredRow = { tokens: Int32Array; keys: Float32Array[]; values: Float32Array[] };

/**
 * Keys and values of the rows that are being sampled: per layer keys [rows, K, d, C] and values [rows, K, C, d].
 * Rows are dense from 0, so the first B of them are a view that is handed over without a copy. C grows in blocks.
 */
export function createKeyValueCache(config: ModelConfig, { rows }: { rows: number }) {
  const { layers, keyValueHeads, headSize } = config;
  const planes = keyValueHeads * headSize;
  const block = 64;
  let capacity = 0;
  const keys: Float32Array[] = [];
  const values: Float32Array[] = [];

  const copyRow = (
    source: { keys: Float32Array; values: Float32Array; row: number; capacity: number },
    target: typeof source,
    length: number,
  ) => {
    for (let plane = 0; plane < planes; plane++) {
      const from = (source.row * planes + plane) * source.capacity;
      target.keys.set(
        source.keys.subarray(from, from + length),
        (target.row * planes + plane) * target.capacity,
      );
    }
    for (let head = 0; head < keyValueHeads; head++) {
      const from = (source.row * keyValueHeads + head) * source.capacity * headSize;
      const to = (target.row * keyValueHeads + head) * target.capacity * headSize;
      target.values.set(source.values.subarray(from, from + length * headSize), to);
    }
  };

  return {
    capacity: () => capacity,

    /** Makes room for `length` tokens a row; what the first `used` rows hold (`lengths` tokens each) is kept. */
    reserve(length: number, lengths: readonly number[]): void {
      const wanted = Math.max(block, Math.ceil(length / block) * block);
      if (wanted <= capacity && (lengths.length > 0 || wanted === capacity)) return;
      const size = rows * planes * wanted;
      const fresh = (old: Float32Array | undefined) =>
        lengths.length === 0 && old && old.buffer.byteLength >= size * 4
          ? new Float32Array(old.buffer as ArrayBuffer, 0, size)
          : new Float32Array(size);
      for (let layer = 0; layer < layers; layer++) {
        const next = { keys: fresh(keys[layer]), values: fresh(values[layer]), row: 0, capacity: wanted };
        for (const [row, used] of lengths.entries()) {
          copyRow({ keys: keys[layer]!, values: values[layer]!, row, capacity }, { ...next, row }, used);
        }
        keys[layer] = next.keys;
        values[layer] = next.values;
      }
      capacity = wanted;
    },

    /** Views of rows [from, from + count) of a layer. */
    view: (layer: number, from: number, count: number) => ({
      keys: keys[layer]!.subarray(from * planes * capacity, (from + count) * planes * capacity),
      values: values[layer]!.subarray(from * planes * capacity, (from + count) * planes * capacity),
    }),

    /** Appends what a run returned for one of its rows: keys [K, d, T] and values [K, T, d], the first `count` of T. */
    append(
      layer: number,
      target: { row: number; length: number },
      source: { keys: Float32Array; values: Float32Array; row: number; stride: number; count: number },
    ): void {
      const { row, length } = target;
      const { stride, count } = source;
      const layerKeys = keys[layer]!;
      const layerValues = values[layer]!;
      for (let plane = 0; plane < planes; plane++) {
        const from = (source.row * planes + plane) * stride;
        const to = (row * planes + plane) * capacity + length;
        for (let index = 0; index < count; index++) layerKeys[to + index] = source.keys[from + index]!;
      }
      for (let head = 0; head < keyValueHeads; head++) {
        const from = (source.row * keyValueHeads + head) * stride * headSize;
        const to = ((row * keyValueHeads + head) * capacity + length) * headSize;
        layerValues.set(source.values.subarray(from, from + count * headSize), to);
      }
    },

    /** Copies the first `length` tokens of a row over another row. */
    copy(from: number, to: number, length: number): void {
      for (let layer = 0; layer < layers; layer++) {
        const shared = { keys: keys[layer]!, values: values[layer]!, capacity };
        copyRow({ ...shared, row: from }, { ...shared, row: to }, length);
      }
    },

    store(row: number, tokens: Int32Array): StoredRow {
      const length = tokens.length;
      const stored: StoredRow = { tokens, keys: [], values: [] };
      for (let layer = 0; layer < layers; layer++) {
        const target = {
          keys: new Float32Array(planes * length),
          values: new Float32Array(planes * length),
          row: 0,
          capacity: length,
        };
        copyRow({ keys: keys[layer]!, values: values[layer]!, row, capacity }, target, length);
        stored.keys.push(target.keys);
        stored.values.push(target.values);
      }
      return stored;
    },

    restore(stored: StoredRow, row: number, length: number): void {
      for (let layer = 0; layer < layers; layer++) {
        const source = {
          keys: stored.keys[layer]!,
          values: stored.values[layer]!,
          row: 0,
          capacity: stored.tokens.length,
        };
        copyRow(source, { keys: keys[layer]!, values: values[layer]!, row, capacity }, length);
      }
    },
  };
}
