import type { TrainRow } from "../spec/trainer.ts";
import type { ModelConfig } from "./model.ts";

/**
 * Rows laid side by side in a grid of `bins` × `length` tokens, so that short rows waste no work. A row sees only
 * itself; its positions start at 0. The arrays below `picks` have one entry per position that has a weight.
 */
export type Packed = {
  bins: number;
  length: number;
  ids: Int32Array;
  positions: Int32Array;
  /** Which row a cell belongs to, −1 for padding. */
  segments: Int32Array;
  /** Cells (flat) whose next token is scored. */
  picks: Int32Array;
  targets: Int32Array;
  weights: Float32Array;
  sampled: Float32Array;
  advantages: Float32Array;
  /** Where each pick comes from: index of the row and position in it. */
  originRow: Int32Array;
  originPosition: Int32Array;
};

type Placed = { row: number; length: number };

/** Packs rows into as few padded cells as it can, and splits them where a grid would exceed `cellBudget`. */
export function packRows(
  rows: readonly TrainRow[],
  config: ModelConfig,
  options: { cellBudget: number },
): Packed[] {
  // tokens after the last scored position change nothing, and rows without one vanish
  const placed = rows
    .map((row, index) => ({ row: index, length: scoredLength(row) }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => b.length - a.length || a.row - b.row);
  if (placed.length === 0) return [];

  const { length, bins } = cheapestLayout(placed, config);
  const binsPerBatch = Math.max(1, Math.floor(options.cellBudget / length));
  const batches = Math.ceil(bins.length / binsPerBatch);
  const evenly = Math.ceil(bins.length / batches);
  return Array.from({ length: batches }, (_, index) =>
    fill(rows, bins.slice(index * evenly, (index + 1) * evenly), length),
  ).filter(({ bins }) => bins > 0);
}

/** Additive attention mask of a packed grid, [B, 1, 1, T, T]: causal, and within one row. */
export function attentionMask({ bins, length, segments }: Packed): Float32Array {
  const mask = new Float32Array(bins * length * length).fill(-1e9);
  for (let bin = 0; bin < bins; bin++) {
    let start = 0;
    for (let query = 0; query < length; query++) {
      const cell = bin * length + query;
      if (query > 0 && segments[cell] !== segments[cell - 1]) start = query;
      const from = cell * length;
      mask.fill(0, from + start, from + query + 1);
    }
  }
  return mask;
}

function scoredLength({ weights }: TrainRow): number {
  let length = weights.length;
  while (length > 0 && weights[length - 1] === 0) length--;
  return length;
}

/**
 * Longest grid for a model. It may be longer than the model's context, since positions start anew with each row; the
 * rotary tables have as many rows.
 */
export function gridLimit({ contextLength }: ModelConfig): number {
  return roundUp(Math.max(contextLength, Math.min(2 * contextLength, 4096)), gridStep);
}

const gridStep = 16;

/** Tries grid lengths from the longest row to twice it, first-fit decreasing, and takes the least work. */
function cheapestLayout(
  placed: readonly Placed[],
  config: ModelConfig,
): { length: number; bins: Placed[][] } {
  const { hiddenSize, feedForwardSize } = config;
  // length at which attention has as many multiplications as the linear layers
  const attentionParity = (4 * hiddenSize + 3 * feedForwardSize) / 2;
  const longest = roundUp(placed[0]!.length, gridStep);
  const total = placed.reduce((sum, { length }) => sum + length, 0);
  const limit = Math.max(longest, Math.min(2 * longest, gridLimit(config), roundUp(total, gridStep)));
  let best: { length: number; bins: Placed[][]; cost: number } | undefined;
  for (let length = longest; length <= limit; length += gridStep) {
    const bins = firstFit(placed, length);
    const cost = bins.length * length * (1 + length / attentionParity);
    if (!best || cost < best.cost) best = { length, bins, cost };
  }
  return best!;
}

function firstFit(placed: readonly Placed[], length: number): Placed[][] {
  const bins: { left: number; rows: Placed[] }[] = [];
  for (const row of placed) {
    let bin = bins.find(({ left }) => left >= row.length);
    if (!bin) {
      bin = { left: length, rows: [] };
      bins.push(bin);
    }
    bin.rows.push(row);
    bin.left -= row.length;
  }
  return bins.map(({ rows }) => rows);
}

function fill(rows: readonly TrainRow[], bins: readonly Placed[][], length: number): Packed {
  const cells = bins.length * length;
  const picked = bins.flat().reduce((sum, { row, length }) => sum + countScored(rows[row]!, length), 0);
  const packed: Packed = {
    bins: bins.length,
    length,
    ids: new Int32Array(cells),
    positions: new Int32Array(cells),
    segments: new Int32Array(cells).fill(-1),
    picks: new Int32Array(picked),
    targets: new Int32Array(picked),
    weights: new Float32Array(picked),
    sampled: new Float32Array(picked),
    advantages: new Float32Array(picked),
    originRow: new Int32Array(picked),
    originPosition: new Int32Array(picked),
  };
  let pick = 0;
  for (const [bin, members] of bins.entries()) {
    let cell = bin * length;
    for (const member of members) {
      const row = rows[member.row]!;
      for (let position = 0; position < member.length; position++, cell++) {
        packed.ids[cell] = row.tokens[position]!;
        packed.positions[cell] = position;
        packed.segments[cell] = member.row;
        if (row.weights[position] === 0) continue;
        packed.picks[pick] = cell;
        packed.targets[pick] = row.targets[position]!;
        packed.weights[pick] = row.weights[position]!;
        packed.sampled[pick] = row.logprobs?.[position] ?? 0;
        packed.advantages[pick] = row.advantages?.[position] ?? 0;
        packed.originRow[pick] = member.row;
        packed.originPosition[pick] = position;
        pick++;
      }
    }
  }
  return packed;
}

function countScored({ weights }: TrainRow, length: number): number {
  let count = 0;
  for (let position = 0; position < length; position++) if (weights[position] !== 0) count++;
  return count;
}

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;
