import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Graph } from "./graph.ts";

export type Session = InferenceSession;

/** Hands a graph to onnxruntime. `threads` share one operator; operators run one after the other. */
export function createSession(graph: Graph, { threads }: { threads: number }): Promise<Session> {
  return InferenceSession.create(graph.encode(), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    extra: { session: { force_spinning_stop: "1" } },
  });
}

/** Tensors over typed arrays; onnxruntime reads inputs where they lie. */
export const floats = (data: Float32Array, shape: readonly number[]): Tensor =>
  new Tensor("float32", data, shape);

export function integers(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  const data = new BigInt64Array(values.length);
  for (let index = 0; index < values.length; index++) data[index] = BigInt(values[index]!);
  return new Tensor("int64", data, shape);
}
