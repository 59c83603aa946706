import type { Tape, Value } from "./autodiff.ts";
import type { Dimension } from "./graph.ts";

/** Elementwise operators and shapes: what losses are written with. The model's own are in layers.ts. */

export function add(tape: Tape, a: Value, b: Value): Value {
  return tape.record(tape.apply("Add", [a, b], broadcast(a, b)), [a, b], (g) => [
    reduceTo(tape, g, a),
    reduceTo(tape, g, b),
  ]);
}

export function subtract(tape: Tape, a: Value, b: Value): Value {
  return tape.record(tape.apply("Sub", [a, b], broadcast(a, b)), [a, b], (g) => [
    reduceTo(tape, g, a),
    b.tracked ? reduceTo(tape, tape.apply("Neg", [g], g.shape), b) : null,
  ]);
}

export function multiply(tape: Tape, a: Value, b: Value): Value {
  return tape.record(tape.apply("Mul", [a, b], broadcast(a, b)), [a, b], (g) => [
    a.tracked ? reduceTo(tape, tape.apply("Mul", [g, b], g.shape), a) : null,
    b.tracked ? reduceTo(tape, tape.apply("Mul", [g, a], g.shape), b) : null,
  ]);
}

export function scale(tape: Tape, a: Value, factor: number): Value {
  return multiply(tape, a, tape.scalar(factor));
}

export function exponential(tape: Tape, a: Value): Value {
  const output = tape.apply("Exp", [a], a.shape);
  return tape.record(output, [a], (g) => [tape.apply("Mul", [g, output], g.shape)]);
}

/** The smaller of two values of one shape; where they are equal the gradient goes to the first. */
export function minimum(tape: Tape, a: Value, b: Value): Value {
  return choose(tape, "Min", "LessOrEqual", a, b);
}

/** The larger of two values of one shape; where they are equal the gradient goes to the first. */
export function maximum(tape: Tape, a: Value, b: Value): Value {
  return choose(tape, "Max", "GreaterOrEqual", a, b);
}

function choose(tape: Tape, operator: string, comparison: string, a: Value, b: Value): Value {
  return tape.record(tape.apply(operator, [a, b], a.shape), [a, b], (g) => {
    const toFirst = tape.apply("Mul", [g, toFloat(tape, tape.apply(comparison, [a, b], a.shape))], g.shape);
    return [toFirst, b.tracked ? tape.apply("Sub", [g, toFirst], g.shape) : null];
  });
}

/** Bounds a value; gradient flows only where the value is within them, ends included. */
export function clip(tape: Tape, a: Value, low: number, high: number): Value {
  const output = tape.apply("Clip", [a, tape.scalar(low), tape.scalar(high)], a.shape);
  return tape.record(output, [a], (g) => [
    tape.apply("Mul", [g, toFloat(tape, tape.apply("Equal", [a, output], a.shape))], g.shape),
  ]);
}

/** The sum of all elements, a scalar. */
export function sum(tape: Tape, a: Value): Value {
  return tape.record(tape.apply("ReduceSum", [a], [], { keepdims: 0 }), [a], (g) => [
    tape.apply("Expand", [g, shapeOf(tape, a)], a.shape),
  ]);
}

/** The value without its gradient. */
export function detach(a: Value): Value {
  return { ...a, tracked: false };
}

export function reshape(tape: Tape, a: Value, sizes: Value, shape: readonly Dimension[]): Value {
  return tape.record(tape.apply("Reshape", [a, sizes], shape), [a], (g) => [
    tape.apply("Reshape", [g, shapeOf(tape, a)], a.shape),
  ]);
}

export function transpose(tape: Tape, a: Value, permutation: readonly number[]): Value {
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  const shape = permutation.map((axis) => a.shape[axis]!);
  return tape.record(tape.apply("Transpose", [a], shape, { perm: permutation }), [a], (g) => [
    tape.apply("Transpose", [g], a.shape, { perm: inverse }),
  ]);
}

/** Rows of a [R, …] by index [N]: token embeddings, or the positions a loss looks at. Indices may repeat. */
export function gatherRows(tape: Tape, a: Value, indices: Value): Value {
  const shape = [indices.shape[0]!, ...a.shape.slice(1)];
  return tape.record(tape.apply("Gather", [a, indices], shape, { axis: 0 }), [a], (g) => {
    const zeros = tape.apply("ConstantOfShape", [shapeOf(tape, a)], a.shape);
    const rows = tape.apply("Unsqueeze", [indices, tape.integers([1])], [indices.shape[0]!, 1]);
    return [tape.apply("ScatterND", [zeros, rows, g], a.shape, { reduction: "add" })];
  });
}

/** The sizes of a value, known when the graph runs. */
export function shapeOf(tape: Tape, a: Value): Value {
  return tape.apply("Shape", [a], [a.shape.length]);
}

function toFloat(tape: Tape, condition: Value): Value {
  return tape.apply("Cast", [condition], condition.shape, { to: 1 });
}

function broadcast(a: Value, b: Value): Dimension[] {
  const rank = Math.max(a.shape.length, b.shape.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a.shape[a.shape.length - rank + axis] ?? 1;
    const right = b.shape[b.shape.length - rank + axis] ?? 1;
    return left === 1 ? right : left;
  });
}

/** Sums a gradient over the axes along which a value was broadcast. */
function reduceTo(tape: Tape, gradient: Value, target: Value): Value {
  const offset = gradient.shape.length - target.shape.length;
  const axes = gradient.shape.flatMap((side, axis) =>
    axis < offset || (target.shape[axis - offset] === 1 && side !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return gradient;
  const reduced = tape.apply(
    "ReduceSum",
    [gradient, tape.integers(axes)],
    gradient.shape.map((side, axis) => (axes.includes(axis) ? 1 : side)),
    { keepdims: 1 },
  );
  return offset === 0
    ? reduced
    : tape.apply("Squeeze", [reduced, tape.integers([...Array(offset).keys()])], target.shape);
}
