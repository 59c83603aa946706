import type { Tape, Value } from "./autodiff.ts";
import type { Dimension } from "./graph.ts";
import { shapeOf } from "./operators.ts";

/** The transformer's own operators. Their backward passes are written by hand to touch large tensors least. */

/** y [M, N] = x [M, K] · w [N, K]ᵀ (+ bias [N]): a linear layer in Hugging Face layout. */
export function linear(tape: Tape, x: Value, weight: Value, bias?: Value): Value {
  const rows = x.shape[0]!;
  const output = tape.apply("Gemm", bias ? [x, weight, bias] : [x, weight], [rows, weight.shape[0]!], {
    transB: 1,
  });
  return tape.record(output, bias ? [x, weight, bias] : [x, weight], (g) => [
    x.tracked ? tape.apply("Gemm", [g, weight], x.shape) : null,
    weight.tracked ? tape.apply("Gemm", [g, x], weight.shape, { transA: 1 }) : null,
    ...(bias ? [sumRows(tape, g)] : []),
  ]);
}

/** y = x / rms(x) · w over the last axis of x [..., d] (Zhang & Sennrich 2019). */
export function rmsNorm(tape: Tape, x: Value, weight: Value, epsilon: number): Value {
  const size = weight.shape[0] as number;
  const output = tape.apply("SimplifiedLayerNormalization", [x, weight], x.shape, {
    axis: -1,
    epsilon: { float: epsilon },
    stash_type: 1,
  });
  return tape.record(output, [x, weight], (g) => {
    // the operator's own inverse-rms output is not to be trusted on every provider, so it is computed again
    const column: Dimension[] = [...x.shape.slice(0, -1), 1];
    const squares = tape.apply("ReduceSumSquare", [x], column, { axes: [-1], keepdims: 1 });
    const variance = tape.apply("Mul", [squares, tape.scalar(1 / size)], column);
    const deviation = tape.apply(
      "Sqrt",
      [tape.apply("Add", [variance, tape.scalar(epsilon)], column)],
      column,
    );
    const normal = tape.apply("Div", [x, deviation], x.shape);
    const product = tape.apply("Mul", [g, normal], x.shape);
    // Σ g·w·n / d per row, as a matrix-vector product
    const weightColumn = tape.apply("Unsqueeze", [weight, tape.integers([1])], [size, 1]);
    const dot = tape.apply("MatMul", [product, weightColumn], column);
    const mean = tape.apply("Mul", [dot, tape.scalar(1 / size)], column);
    const direct = tape.apply("Mul", [g, weight], x.shape);
    const along = tape.apply("Mul", [normal, mean], x.shape);
    const inner = tape.apply("Sub", [direct, along], x.shape);
    return [
      tape.apply("Div", [inner, deviation], x.shape),
      sumRows(tape, x.shape.length === 2 ? product : flattenRows(tape, product, size)),
    ];
  });
}

/** silu(gate) · up, elementwise (Shazeer 2020). */
export function swiGlu(tape: Tape, gate: Value, up: Value): Value {
  const { shape } = gate;
  const sigmoid = tape.apply("Sigmoid", [gate], shape);
  const silu = tape.apply("Mul", [gate, sigmoid], shape);
  return tape.record(tape.apply("Mul", [silu, up], shape), [gate, up], (g) => {
    // silu' = σ + silu·(1 − σ) = σ·(1 + gate − silu)
    const rest = tape.apply("Sub", [gate, silu], shape);
    const slope = tape.apply("Mul", [sigmoid, tape.apply("Add", [rest, tape.scalar(1)], shape)], shape);
    return [
      tape.apply("Mul", [tape.apply("Mul", [g, up], shape), slope], shape),
      tape.apply("Mul", [g, silu], shape),
    ];
  });
}

export type RotaryTables = { positions: Value; cos: Value; sin: Value; negativeSin: Value };

/** Rotary positions on x [B, H, T, d]: rotating back by the same angle is the gradient. */
export function rotate(tape: Tape, x: Value, { positions, cos, sin, negativeSin }: RotaryTables): Value {
  const output = tape.apply("RotaryEmbedding", [x, positions, cos, sin], x.shape);
  return tape.record(output, [x], (g) => [
    tape.apply("RotaryEmbedding", [g, positions, cos, negativeSin], x.shape),
  ]);
}

/**
 * softmax(q·kᵀ/√d + mask)·v with q [B, K, G·T, d] (the G query heads that share a key head laid one after
 * another), k and v [B, K, T, d] and an additive mask [B, 1, 1, T, T]. The backward pass uses
 * dS = P ∘ (dP − rowsum(dO ∘ O)) (Dao et al. 2022, appendix B), which needs no reduction over T × T.
 */
export function attention(
  tape: Tape,
  q: Value,
  k: Value,
  v: Value,
  options: { mask: Value; group: number },
): Value {
  const [batch, keyHeads, rows, size] = q.shape as [Dimension, Dimension, Dimension, number];
  const length = k.shape[2]!;
  const alpha = { float: 1 / Math.sqrt(size) };
  const flat = [batch, keyHeads, rows, length];
  const scores = tape.apply("FusedMatMul", [q, k], flat, { transB: 1, alpha });
  const split = [batch, keyHeads, options.group, length, length];
  const grouped = regroup(tape, scores, options.group, split);
  const masked = tape.apply("Add", [grouped, options.mask], split);
  const softmax = tape.apply("Softmax", [masked], split, { axis: -1 });
  const weights = tape.apply("Reshape", [softmax, shapeOf(tape, scores)], flat);
  const output = tape.apply("MatMul", [weights, v], q.shape);
  return tape.record(output, [q, k, v], (g) => {
    const column = [batch, keyHeads, rows, 1];
    const rowDots = tape.apply(
      "ReduceSum",
      [tape.apply("Mul", [g, output], q.shape), tape.integers([-1])],
      column,
      { keepdims: 1 },
    );
    const toWeights = tape.apply("FusedMatMul", [g, v], flat, { transB: 1 });
    const toScores = tape.apply("Mul", [weights, tape.apply("Sub", [toWeights, rowDots], flat)], flat);
    return [
      tape.apply("FusedMatMul", [toScores, k], q.shape, { alpha }),
      tape.apply("FusedMatMul", [toScores, q], k.shape, { transA: 1, alpha }),
      tape.apply("FusedMatMul", [weights, g], v.shape, { transA: 1 }),
    ];
  });
}

/** log softmax(logits [N, V]) at targets [N]. */
export function targetLogProbabilities(tape: Tape, logits: Value, targets: Value): Value {
  const [rows, vocabulary] = logits.shape as [Dimension, number];
  const all = tape.apply("LogSoftmax", [logits], logits.shape, { axis: -1 });
  const column = tape.apply("Unsqueeze", [targets, tape.integers([1])], [rows, 1]);
  const picked = tape.apply("GatherElements", [all, column], [rows, 1], { axis: 1 });
  const output = tape.apply("Squeeze", [picked, tape.integers([1])], [rows]);
  return tape.record(output, [logits], (g) => {
    const toPicked = tape.apply("Unsqueeze", [g, tape.integers([1])], [rows, 1]);
    const probabilities = tape.apply("Exp", [all], logits.shape);
    const spread = tape.apply(
      "Mul",
      [probabilities, tape.apply("Neg", [toPicked], [rows, 1])],
      [rows, vocabulary],
    );
    return [
      tape.apply("ScatterElements", [spread, column, toPicked], logits.shape, { axis: 1, reduction: "add" }),
    ];
  });
}

function regroup(tape: Tape, scores: Value, group: number, shape: readonly Dimension[]): Value {
  const sizes = shapeOf(tape, scores);
  const at = (axis: number) =>
    tape.apply("Slice", [sizes, tape.integers([axis]), tape.integers([axis + 1])], [1]);
  const split = tape.apply("Concat", [at(0), at(1), tape.integers([group]), at(3), at(3)], [5], { axis: 0 });
  return tape.apply("Reshape", [scores, split], shape);
}

function flattenRows(tape: Tape, x: Value, size: number): Value {
  return tape.apply("Reshape", [x, tape.integers([-1, size])], ["rows", size]);
}

/** Column sums of [M, N], [N]. */
function sumRows(tape: Tape, x: Value): Value {
  return tape.apply("ReduceSum", [x, tape.integers([0])], [x.shape[1]!], { keepdims: 0 });
}
