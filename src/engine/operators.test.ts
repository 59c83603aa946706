import { describe, expect, it } from "vitest";
import type { Tape, Value } from "./autodiff.ts";
import { type Given, gradientError } from "./gradient-check.ts";
import { attention, linear, rmsNorm, rotate, swiGlu, targetLogProbabilities } from "./layers.ts";
import { modelPresets } from "./model.ts";
import {
  add,
  clip,
  exponential,
  gatherRows,
  maximum,
  minimum,
  multiply,
  reshape,
  scale,
  subtract,
  sum,
  transpose,
} from "./operators.ts";
import { ropeTables } from "./rope.ts";

/** Σ of squares: a loss whose gradient differs from element to element. */
const squares = (tape: Tape, value: Value) => sum(tape, multiply(tape, value, value));
const constant = (tape: Tape, data: number[], shape: number[]): Value => ({
  name: tape.graph.constant(Float32Array.from(data), shape),
  shape,
  tracked: false,
});

type Case = [
  name: string,
  given: Record<string, Given>,
  build: (tape: Tape, inputs: Record<string, Value>) => Value,
  integers?: Parameters<typeof gradientError>[2],
];

const cases: Case[] = [
  ["add", { a: { shape: [3, 4] }, b: { shape: [3, 4] } }, (t, { a, b }) => squares(t, add(t, a!, b!))],
  [
    "add, broadcast along rows",
    { a: { shape: [3, 4] }, b: { shape: [4] } },
    (t, { a, b }) => squares(t, add(t, a!, b!)),
  ],
  [
    "subtract, broadcast along columns",
    { a: { shape: [2, 3, 4] }, b: { shape: [2, 1, 4] } },
    (t, { a, b }) => squares(t, subtract(t, a!, b!)),
  ],
  [
    "multiply, broadcast scalar",
    { a: { shape: [5] }, b: { shape: [] } },
    (t, { a, b }) => squares(t, multiply(t, a!, b!)),
  ],
  ["multiply with itself", { a: { shape: [5] } }, (t, { a }) => sum(t, multiply(t, a!, multiply(t, a!, a!)))],
  ["scale", { a: { shape: [5] } }, (t, { a }) => squares(t, scale(t, a!, -2.5))],
  ["exponential", { a: { shape: [6] } }, (t, { a }) => sum(t, exponential(t, a!))],
  [
    "minimum",
    { a: { shape: [40] }, b: { shape: [40], offset: 0.1 } },
    (t, { a, b }) => squares(t, minimum(t, a!, b!)),
  ],
  [
    "maximum",
    { a: { shape: [40] }, b: { shape: [40], offset: 0.1 } },
    (t, { a, b }) => squares(t, maximum(t, a!, b!)),
  ],
  ["clip inside", { a: { shape: [8], scale: 0.1 } }, (t, { a }) => squares(t, clip(t, a!, -1, 1))],
  [
    "clip outside",
    { a: { shape: [8], offset: 5, scale: 0.1 }, b: { shape: [8] } },
    (t, { a, b }) => squares(t, multiply(t, clip(t, a!, -1, 1), add(t, b!, scale(t, a!, 0)))),
  ],
  [
    "reshape",
    { a: { shape: [2, 6] } },
    (t, { a }) =>
      squares(
        t,
        multiply(t, reshape(t, a!, t.integers([3, 4]), [3, 4]), constant(t, [...Array(12).keys()], [3, 4])),
      ),
  ],
  [
    "transpose",
    { a: { shape: [2, 3, 4] } },
    (t, { a }) =>
      squares(
        t,
        multiply(
          t,
          transpose(t, a!, [1, 2, 0]),
          constant(
            t,
            [...Array(24).keys()].map((i) => i / 24),
            [3, 4, 2],
          ),
        ),
      ),
  ],
  [
    "gatherRows, an index twice",
    { a: { shape: [4, 3] } },
    (t, { a, rows }) => squares(t, gatherRows(t, a!, rows!)),
    { integers: { rows: { shape: [3], values: [2, 0, 2] } } },
  ],
  ["linear", { x: { shape: [5, 3] }, w: { shape: [4, 3] } }, (t, { x, w }) => squares(t, linear(t, x!, w!))],
  [
    "linear with bias",
    { x: { shape: [5, 3] }, w: { shape: [4, 3] }, b: { shape: [4] } },
    (t, { x, w, b }) => squares(t, linear(t, x!, w!, b!)),
  ],
  [
    "rmsNorm",
    { x: { shape: [5, 8] }, w: { shape: [8], offset: 1, scale: 0.2 }, c: { shape: [5, 8] } },
    (t, { x, w, c }) => squares(t, multiply(t, rmsNorm(t, x!, w!, 1e-6), c!)),
  ],
  [
    "rmsNorm per head",
    { x: { shape: [2, 3, 2, 4] }, w: { shape: [4], offset: 1 }, c: { shape: [2, 3, 2, 4] } },
    (t, { x, w, c }) => squares(t, multiply(t, rmsNorm(t, x!, w!, 1e-5), c!)),
  ],
  ["swiGlu", { g: { shape: [4, 6] }, u: { shape: [4, 6] } }, (t, { g, u }) => squares(t, swiGlu(t, g!, u!))],
  [
    "attention with a causal mask",
    { q: { shape: [2, 2, 5, 4] }, k: { shape: [2, 2, 5, 4] }, v: { shape: [2, 2, 5, 4] } },
    (t, { q, k, v }) => squares(t, attention(t, q!, k!, v!, { mask: causal(t, 5), group: 1 })),
  ],
  [
    "attention whose query heads share a key head",
    { q: { shape: [1, 2, 9, 4] }, k: { shape: [1, 2, 3, 4] }, v: { shape: [1, 2, 3, 4] } },
    (t, { q, k, v }) => squares(t, attention(t, q!, k!, v!, { mask: causal(t, 3), group: 3 })),
  ],
  [
    "rotate",
    { x: { shape: [1, 2, 4, 32] }, c: { shape: [1, 2, 4, 32] } },
    (t, { x, c, positions }) => {
      const { cos, sin } = ropeTables(modelPresets.nano, 16);
      const table = (data: Float32Array) => constant(t, [...data], [16, 16]);
      const tables = {
        positions: positions!,
        cos: table(cos),
        sin: table(sin),
        negativeSin: table(sin.map((value) => -value)),
      };
      return squares(t, multiply(t, rotate(t, x!, tables), c!));
    },
    { integers: { positions: { shape: [1, 4], values: [0, 1, 0, 7] } } },
  ],
  [
    "targetLogProbabilities",
    { logits: { shape: [4, 7] }, c: { shape: [4] } },
    (t, { logits, c, targets }) => squares(t, multiply(t, targetLogProbabilities(t, logits!, targets!), c!)),
    { integers: { targets: { shape: [4], values: [0, 6, 3, 3] } } },
  ],
];

function causal(tape: Tape, length: number): Value {
  const mask = Array.from({ length: length * length }, (_, cell) =>
    cell % length > Math.floor(cell / length) ? -1e9 : 0,
  );
  return constant(tape, mask, [1, 1, 1, length, length]);
}

describe("the gradient of", () => {
  it.each(cases)("%s agrees with central differences", async (_name, given, build, options) => {
    for (const seed of [1, 2])
      expect(await gradientError(given, build, { ...options, seed })).toBeLessThan(5e-3);
  });
});
