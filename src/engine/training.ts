import type { Tensor } from "onnxruntime-node";
import { AttuneError } from "../spec/error.ts";
import type {
  ForwardBackwardResult,
  Loss,
  OptimizerParams,
  OptimizerResult,
  TrainRow,
} from "../spec/trainer.ts";
import { adamWStep, type Moments } from "./adamw.ts";
import { createTape } from "./autodiff.ts";
import { targetLogProbabilities } from "./layers.ts";
import { emitLoss, type GraphLoss } from "./losses.ts";
import type { Model, ModelConfig } from "./model.ts";
import { createMuon, type MuonMatrix } from "./muon.ts";
import { attentionMask, type Packed, packRows } from "./pack.ts";
import { createSession, floats, integers, type Session } from "./session.ts";
import { declareParameters, hiddenStates, logitsOf } from "./transformer.ts";

/** Everything an optimizer knows beside the weights. */
export type OptimizerState = {
  step: number;
  kind: OptimizerParams["kind"] | null;
  moments: Map<string, Moments>;
};

export interface Training {
  forwardBackward(
    rows: readonly TrainRow[],
    loss: Loss,
    options?: { signal?: AbortSignal },
  ): Promise<ForwardBackwardResult>;
  /** Log-probabilities of the targets without a gradient. */
  forward(rows: readonly TrainRow[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  /** The gradient accumulated since the last step, by parameter. */
  gradient(): ReadonlyMap<string, Float32Array>;
  optimStep(params: OptimizerParams): Promise<OptimizerResult>;
  resetOptimizer(): void;
  optimizerState(): OptimizerState;
  restoreOptimizer(state: OptimizerState): void;
  close(): Promise<void>;
}

/** Most cells of one graph run: bounds the memory of activations. */
const cellBudget = 4096;

/** Trains a model in place: gradients by the emitted graph, optimizer on the parameters' own arrays. */
export function createTraining(model: Model, { threads }: { threads: number }): Training {
  const { config, parameters } = model;
  const sessions = new Map<string, Promise<Session>>();
  const muon = createMuon({ threads });
  let gradients: Map<string, Float32Array> | undefined;
  let optimizer: OptimizerState = { step: 0, kind: null, moments: new Map() };

  const sessionFor = (loss: GraphLoss | "forward") => {
    const key = JSON.stringify(loss);
    const session = sessions.get(key) ?? createSession(trainingGraph(config, loss), { threads });
    sessions.set(key, session);
    return session;
  };

  /** Runs every packed grid through a session and scatters log-probabilities back to their rows. */
  const runPacked = async (
    rows: readonly TrainRow[],
    loss: GraphLoss | "forward",
    signal: AbortSignal | undefined,
    onResult: (results: Record<string, { data: unknown }>) => void,
  ): Promise<Float32Array[]> => {
    checkRows(rows, config, loss);
    const session = await sessionFor(loss);
    const logprobs = rows.map((row) => new Float32Array(row.tokens.length));
    for (const packed of packRows(rows, config, { cellBudget })) {
      signal?.throwIfAborted();
      const results = await session.run(feedsOf(model, packed, loss));
      const current = results["logprobs"]!.data as Float32Array;
      for (let pick = 0; pick < current.length; pick++) {
        logprobs[packed.originRow[pick]!]![packed.originPosition[pick]!] = current[pick]!;
      }
      onResult(results);
    }
    return logprobs;
  };

  const training: Training = {
    forward: (rows, { signal } = {}) => runPacked(rows, "forward", signal, () => {}),

    async forwardBackward(rows, loss, { signal } = {}) {
      if (loss.name === "custom") return customForwardBackward(training, rows, loss, signal);
      let total = 0;
      const fresh = new Map<string, Float32Array>();
      const logprobs = await runPacked(rows, loss, signal, (results) => {
        const part = (results["loss"]!.data as Float32Array)[0]!;
        total += part;
        for (const name of parameters.keys())
          accumulate(fresh, name, results[`gradient ${name}`]!.data as Float32Array);
      });
      if (!Number.isFinite(total)) {
        gradients = undefined;
        throw new AttuneError(
          "engine",
          `${loss.name}: expected a finite loss, got ${total}; the weights were not touched`,
        );
      }
      if (gradients === undefined) gradients = fresh;
      else for (const [name, gradient] of fresh) accumulate(gradients, name, gradient);
      return { loss: total, logprobs };
    },

    gradient: () => gradients ?? new Map(),

    async optimStep(params) {
      const accumulated = gradients ?? new Map<string, Float32Array>();
      gradients = undefined;
      const gradientNorm = Math.sqrt(
        [...accumulated.values()].reduce((total, gradient) => total + squaredNorm(gradient), 0),
      );
      if (!Number.isFinite(gradientNorm)) {
        throw new AttuneError(
          "engine",
          `expected a finite gradient, got norm ${gradientNorm}; the weights were not touched`,
        );
      }
      if (optimizer.kind !== null && optimizer.kind !== params.kind) {
        throw new AttuneError(
          "usage",
          `optimizer was ${optimizer.kind} and is asked for ${params.kind}; reset it first`,
        );
      }
      const { gradientClip, learningRate, weightDecay } = params;
      const gradientScale = gradientClip > 0 && gradientNorm > gradientClip ? gradientClip / gradientNorm : 1;
      const step = optimizer.step + 1;
      const matrices: MuonMatrix[] = [];
      for (const [name, gradient] of accumulated) {
        const { data: weights, shape } = parameters.get(name)!;
        const orthogonal = params.kind === "muon" && isHiddenMatrix(name, shape);
        const moments = optimizer.moments.get(name) ?? freshMoments(weights.length, orthogonal);
        optimizer.moments.set(name, moments);
        if (orthogonal) {
          matrices.push({ weights, gradient, moments, shape: shape as [number, number] });
        } else {
          const decay = shape.length > 1 ? weightDecay : 0;
          adamWStep(weights, gradient, moments, { ...params, weightDecay: decay, step, gradientScale });
        }
      }
      if (matrices.length > 0) await muon.step(matrices, { learningRate, weightDecay, gradientScale });
      optimizer = { ...optimizer, step, kind: params.kind };
      return { gradientNorm };
    },

    resetOptimizer() {
      optimizer = { step: 0, kind: null, moments: new Map() };
      gradients = undefined;
    },
    optimizerState: () => optimizer,
    restoreOptimizer(state) {
      optimizer = state;
      gradients = undefined;
    },
    async close() {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
      await muon.close();
    },
  };
  return training;
}

/** A custom loss sees the log-probabilities; its derivatives then weigh an ordinary backward pass. */
export async function customForwardBackward(
  training: Pick<Training, "forward" | "forwardBackward">,
  rows: readonly TrainRow[],
  loss: Loss & { name: "custom" },
  signal?: AbortSignal,
): Promise<ForwardBackwardResult> {
  const logprobs = await training.forward(rows, { signal });
  const { loss: value, gradients } = loss.evaluate(rows, logprobs);
  const weighted = rows.map((row, index) => ({
    ...row,
    weights: customWeights(row, gradients[index], index),
  }));
  if (!Number.isFinite(value)) {
    throw new AttuneError(
      "engine",
      `custom loss: expected a finite loss, got ${value}; the weights were not touched`,
    );
  }
  await training.forwardBackward(weighted, { name: "cross_entropy" }, { signal });
  return { loss: value, logprobs };
}

function customWeights(row: TrainRow, gradient: Float32Array | undefined, index: number): Float32Array {
  if (gradient?.length !== row.tokens.length) {
    throw new AttuneError(
      "usage",
      `custom loss: expected ${row.tokens.length} derivatives for row ${index}, got ${gradient?.length ?? "none"}`,
    );
  }
  return row.weights.map((weight, position) => (weight === 0 ? 0 : -gradient[position]!));
}

/** Inputs, forward pass, loss and backward pass of a model as one graph; sizes are chosen by each run. */
function trainingGraph(config: ModelConfig, loss: GraphLoss | "forward") {
  const tape = createTape();
  const ids = tape.input("ids", "int64", ["M"]);
  const positions = tape.input("positions", "int64", ["B", "T"]);
  const mask = tape.input("mask", "float32", ["B", 1, 1, "T", "T"]);
  const picks = tape.input("picks", "int64", ["N"]);
  const targets = tape.input("targets", "int64", ["N"]);
  const parameters = declareParameters(tape, config);

  const scored = hiddenStates(tape, config, parameters, { ids, positions, mask, picks });
  const current = targetLogProbabilities(tape, logitsOf(tape, config, parameters, scored), targets);
  tape.graph.output(current.name, "logprobs", "float32", ["N"]);
  if (loss === "forward") return tape.graph;

  const perPosition = (name: string) => tape.input(name, "float32", ["N"]);
  const sampledFrom = loss.name !== "cross_entropy";
  const inputs = {
    current,
    weights: perPosition("weights"),
    sampled: sampledFrom ? perPosition("sampled") : current,
    advantages: sampledFrom ? perPosition("advantages") : current,
  };
  const total = emitLoss(tape, loss, inputs);
  tape.backward(total);
  tape.graph.output(total.name, "loss", "float32", []);
  for (const [name, parameter] of parameters) {
    tape.graph.output(tape.gradient(parameter)!.name, `gradient ${name}`, "float32", parameter.shape);
  }
  return tape.graph;
}

function feedsOf({ parameters }: Model, packed: Packed, loss: GraphLoss | "forward") {
  const { bins, length, picks } = packed;
  const feeds: Record<string, Tensor> = {
    ids: integers(packed.ids, [bins * length]),
    positions: integers(packed.positions, [bins, length]),
    mask: floats(attentionMask(packed), [bins, 1, 1, length, length]),
    picks: integers(picks, [picks.length]),
    targets: integers(packed.targets, [picks.length]),
  };
  if (loss !== "forward") {
    feeds["weights"] = floats(packed.weights, [picks.length]);
    if (loss.name !== "cross_entropy") {
      feeds["sampled"] = floats(packed.sampled, [picks.length]);
      feeds["advantages"] = floats(packed.advantages, [picks.length]);
    }
  }
  for (const [name, { data, shape }] of parameters) feeds[name] = floats(data, shape);
  return feeds;
}

function checkRows(rows: readonly TrainRow[], config: ModelConfig, loss: GraphLoss | "forward"): void {
  for (const [index, row] of rows.entries()) {
    const length = row.tokens.length;
    const refuse = (message: string): never => {
      throw new AttuneError("input", `training row ${index}: ${message}`);
    };
    if (length > config.contextLength)
      refuse(`${length} tokens, and the model's context is ${config.contextLength}`);
    const needed =
      loss === "forward" || loss.name === "cross_entropy" ? [] : (["logprobs", "advantages"] as const);
    for (const field of ["targets", "weights", ...needed] as const) {
      const values = row[field];
      if (values?.length !== length) refuse(`expected ${length} ${field}, got ${values?.length ?? "none"}`);
    }
    for (const field of ["tokens", "targets"] as const) {
      const bad = row[field].find((id) => id < 0 || id >= config.vocabularySize);
      if (bad !== undefined)
        refuse(`token id ${bad} in ${field}, and the vocabulary has ${config.vocabularySize}`);
    }
  }
}

/** Muon is for the matrices between the embedding and the head. */
function isHiddenMatrix(name: string, shape: readonly number[]): boolean {
  return shape.length === 2 && !name.startsWith("model.embed_tokens") && !name.startsWith("lm_head");
}

function freshMoments(size: number, orthogonal: boolean): Moments {
  const first = new Float32Array(size);
  return orthogonal ? { first } : { first, second: new Float32Array(size) };
}

function accumulate(into: Map<string, Float32Array>, name: string, gradient: Float32Array): void {
  const sofar = into.get(name);
  if (sofar === undefined) into.set(name, gradient);
  else for (let index = 0; index < sofar.length; index++) sofar[index] = sofar[index]! + gradient[index]!;
}

function squaredNorm(values: Float32Array): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index]! * values[index]!;
  return total;
}
