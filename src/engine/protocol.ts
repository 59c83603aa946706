import type { AttuneErrorKind } from "../spec/error.ts";
import type { Sample, SamplingParams } from "../spec/policy.ts";
import type {
  ForwardBackwardResult,
  Loss,
  OptimizerParams,
  OptimizerResult,
  TrainRow,
} from "../spec/trainer.ts";
import type { Model, ModelConfig, ModelPreset } from "./model.ts";
import type { SamplerStatistics } from "./sampler.ts";

/** Where a model comes from: given, random weights of a preset, or a checkpoint's or Hugging Face folder. */
export type ModelSource =
  | { model: Model }
  | { preset: ModelPreset; seed: number; vocabularySize?: number; contextLength?: number }
  | { directory: string };

/** What the worker is started with. Token bytes are laid end to end; `offsets` has one entry more than tokens. */
export type WorkerOptions = {
  source: ModelSource;
  threads: number;
  slots: number;
  cacheBytes: number;
  tokenBytes: { bytes: Uint8Array; offsets: Int32Array };
};

/** What the engine's thread can be asked, and what it answers. */
export type Calls = {
  describe: { arguments: []; result: { config: ModelConfig; version: number } };
  forward: { arguments: [rows: readonly TrainRow[]]; result: Float32Array[] };
  forwardBackward: {
    arguments: [rows: readonly TrainRow[], loss: Exclude<Loss, { name: "custom" }>];
    result: ForwardBackwardResult;
  };
  optimStep: { arguments: [params: OptimizerParams]; result: OptimizerResult };
  resetOptimizer: { arguments: []; result: undefined };
  /** Freezes the weights as they are; answers with the policy's number. */
  openPolicy: { arguments: []; result: { policy: number; version: number } };
  closePolicy: { arguments: [policy: number]; result: undefined };
  statistics: { arguments: [policy: number]; result: SamplerStatistics };
  /** What the thread has done since it started, closed policies included. */
  totals: { arguments: []; result: EngineTotals };
  save: { arguments: [directory: string, extraFiles: Readonly<Record<string, string>>]; result: undefined };
  load: { arguments: [directory: string]; result: undefined };
  close: { arguments: []; result: undefined };
};

export type Verb = keyof Calls;

export type EngineTotals = {
  /** Positions of rows given to forwardBackward. */
  tokensTrained: number;
  tokensSampled: number;
  /** Positions that sampling ran the model on: prompts and samples without what the cache knew. */
  positionsComputed: number;
};

export type SampleOrder = { id: number; prompt: Int32Array; params: SamplingParams; stream: number };

export type ToWorker =
  | { [V in Verb]: { type: "call"; id: number; verb: V; arguments: Calls[V]["arguments"] } }[Verb]
  /** Samples asked for in one turn of the event loop travel together, so that their order is certain. */
  | { type: "sample"; policy: number; orders: SampleOrder[] }
  | { type: "cancel"; id: number };

export type FromWorker =
  | { type: "result"; id: number; result: Calls[Verb]["result"] | Sample }
  | { type: "error"; id: number; error: WireError };

export type WireError = { kind: AttuneErrorKind | "bug" | "cancelled"; message: string; stack?: string };
