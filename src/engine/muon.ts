import type { Moments } from "./adamw.ts";
import { contributed, createGraph } from "./graph.ts";
import { createSession, floats, type Session } from "./session.ts";

/** Quintic Newton–Schulz coefficients and the momentum of Muon (Jordan et al. 2024). */
const coefficients = [3.4445, -4.775, 2.0315] as const;
const iterations = 5;
const momentum = 0.95;

export type MuonMatrix = {
  weights: Float32Array;
  gradient: Float32Array;
  shape: readonly [rows: number, columns: number];
  moments: Moments;
};

export type MuonOptions = { learningRate: number; weightDecay: number; gradientScale: number };

/**
 * Muon for weight matrices: momentum, then the nearest semi-orthogonal matrix by Newton–Schulz, scaled by
 * 0.2·√(longer side) so that AdamW's learning rates carry over (Liu et al. 2025, "Muon is scalable"), with decoupled
 * decay. Matrices of one shape are orthogonalised together, in one graph.
 */
export function createMuon({ threads }: { threads: number }) {
  const sessions = new Map<string, Promise<Session>>();

  const orthogonalise = async (
    stacked: Float32Array,
    [count, rows, columns]: readonly [number, number, number],
  ) => {
    const key = rows <= columns ? "wide" : "tall";
    let session = sessions.get(key);
    if (!session) {
      session = newtonSchulz(key, threads);
      sessions.set(key, session);
    }
    const shape = [count, rows, columns];
    const results = await (await session).run({ x: floats(stacked, shape) });
    return results["y"]!.data as Float32Array;
  };

  return {
    async step(
      matrices: readonly MuonMatrix[],
      { learningRate, weightDecay, gradientScale }: MuonOptions,
    ): Promise<void> {
      for (const alike of groupByShape(matrices)) {
        const [rows, columns] = alike[0]!.shape;
        const size = rows * columns;
        const stacked = new Float32Array(alike.length * size);
        for (const [index, { gradient, moments }] of alike.entries()) {
          const target = stacked.subarray(index * size, (index + 1) * size);
          const velocity = moments.first;
          let squares = 0;
          for (let i = 0; i < size; i++) {
            const g = gradient[i]! * gradientScale;
            velocity[i] = momentum * velocity[i]! + g;
            const nesterov = g + momentum * velocity[i]!;
            target[i] = nesterov;
            squares += nesterov * nesterov;
          }
          const norm = Math.sqrt(squares) + 1e-7;
          for (let i = 0; i < size; i++) target[i] = target[i]! / norm;
        }
        const updates = await orthogonalise(stacked, [alike.length, rows, columns]);
        const keep = 1 - learningRate * weightDecay;
        const stepSize = learningRate * 0.2 * Math.sqrt(Math.max(rows, columns));
        for (const [index, { weights }] of alike.entries()) {
          const offset = index * size;
          for (let i = 0; i < size; i++) weights[i] = keep * weights[i]! - stepSize * updates[offset + i]!;
        }
      }
    },
    async close(): Promise<void> {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
}

/** X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ on the shorter side, for a stack [n, rows, columns] of norm ≤ 1. */
function newtonSchulz(kind: "wide" | "tall", threads: number): Promise<Session> {
  const graph = createGraph();
  const [a, b, c] = coefficients;
  const constant = (value: number) => graph.constant(Float32Array.of(value), []);
  const [first, second] = [constant(a), constant(b)];
  let x = graph.input("x", "float32", ["n", "rows", "columns"]);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const gram = graph.node(
      "FusedMatMul",
      [x, x],
      kind === "wide" ? { transB: 1 } : { transA: 1 },
      contributed,
    );
    const square = graph.node("FusedMatMul", [gram, gram], { alpha: { float: c } }, contributed);
    const mixed = graph.node("Add", [graph.node("Mul", [gram, second]), square]);
    const turned = graph.node("MatMul", kind === "wide" ? [mixed, x] : [x, mixed]);
    x = graph.node("Add", [graph.node("Mul", [x, first]), turned]);
  }
  graph.output(x, "y", "float32", ["n", "rows", "columns"]);
  return createSession(graph, { threads });
}

function groupByShape(matrices: readonly MuonMatrix[]): MuonMatrix[][] {
  return Object.values(Object.groupBy(matrices, ({ shape }) => shape.join("x"))) as MuonMatrix[][];
}
