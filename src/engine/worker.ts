import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { AttuneError } from "../spec/error.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { loadHuggingFace } from "./hugging-face.ts";
import { createModel, type Model, type ModelConfig, modelPresets } from "./model.ts";
import type {
  Calls,
  EngineTotals,
  FromWorker,
  SampleOrder,
  ToWorker,
  Verb,
  WireError,
  WorkerOptions,
} from "./protocol.ts";
import { createSampler, type Sampler } from "./sampler.ts";
import { createTraining, type OptimizerState, type Training } from "./training.ts";

// The engine's thread: it alone owns the model, its optimizer and its samplers.

const port = parentPort!;
const options = workerData as WorkerOptions;
const { threads, slots, cacheBytes } = options;
const tokenBytes = (id: number) =>
  options.tokenBytes.bytes.subarray(options.tokenBytes.offsets[id], options.tokenBytes.offsets[id + 1]);

type Learning = { model: Model; training: Training; version: number };

const policies = new Map<number, Sampler>();
const cancellations = new Map<number, AbortController>();
/** What was done by samplers that are gone, and by training. */
const totals: EngineTotals = { tokensTrained: 0, tokensSampled: 0, positionsComputed: 0 };
let policyCount = 0;
let learning: Learning | undefined;

type Handler<V extends Verb> = (
  given: Calls[V]["arguments"],
  signal: AbortSignal,
) => Promise<Calls[V]["result"]>;

const handlers: { [V in Verb]: Handler<V> } = {
  async describe() {
    const { model, version } = current();
    return { config: model.config, version };
  },
  forward: ([rows], signal) => current().training.forward(rows, { signal }),
  async forwardBackward([rows, loss], signal) {
    const result = await current().training.forwardBackward(rows, loss, { signal });
    for (const { tokens } of rows) totals.tokensTrained += tokens.length;
    return result;
  },
  async optimStep([params]) {
    const result = await current().training.optimStep(params);
    current().version++;
    return result;
  },
  async resetOptimizer() {
    current().training.resetOptimizer();
    return undefined;
  },
  async openPolicy() {
    const { model, version } = current();
    const policy = policyCount++;
    policies.set(policy, await createSampler(model, { threads, slots, cacheBytes, tokenBytes }));
    return { policy, version };
  },
  async closePolicy([policy]) {
    const sampler = policies.get(policy);
    policies.delete(policy);
    if (!sampler) return undefined;
    await sampler.close();
    addTo(totals, sampler);
    return undefined;
  },
  statistics: async ([policy]) => samplerOf(policy).statistics(),
  async totals() {
    const sum = { ...totals };
    for (const sampler of policies.values()) addTo(sum, sampler);
    return sum;
  },
  async save([directory, extraFiles]) {
    const { model, training, version } = current();
    saveCheckpoint(directory, { model, optimizer: training.optimizerState(), version }, { extraFiles });
    return undefined;
  },
  async load([directory]) {
    const { model, optimizer, version } = loadCheckpoint(directory);
    const before = current();
    if (!isDeepStrictEqual(model.config, before.model.config)) {
      const field = (Object.keys(before.model.config) as (keyof ModelConfig)[]).find(
        (key) => !isDeepStrictEqual(model.config[key], before.model.config[key]),
      )!;
      throw new AttuneError(
        "input",
        `${directory}: a checkpoint of another architecture: expected ${field} ${JSON.stringify(before.model.config[field])}, got ${JSON.stringify(model.config[field])}`,
      );
    }
    await before.training.close();
    learning = learn(model, optimizer, version);
    return undefined;
  },
  async close() {
    for (const sampler of policies.values()) await sampler.close();
    policies.clear();
    await learning?.training.close();
    return undefined;
  },
};

const closed = new AttuneError("engine", "the trainer has been closed");

/** Calls run one after the other; samples go on beside them. */
let line: Promise<void> = Promise.resolve();

port.on("message", (message: ToWorker) => {
  if (message.type === "cancel") cancellations.get(message.id)?.abort();
  else if (message.type === "sample") sample(message.policy, message.orders);
  else {
    const { id, verb, arguments: given } = message;
    // closing does not wait for what nobody will look at
    if (verb === "close") for (const waiting of cancellations.values()) waiting.abort(closed);
    const controller = new AbortController();
    cancellations.set(id, controller);
    line = line.then(async () => {
      const handler = handlers[verb] as Handler<Verb>;
      try {
        controller.signal.throwIfAborted();
        post({ type: "result", id, result: await handler(given, controller.signal) });
      } catch (error) {
        post({ type: "error", id, error: toWire(error) });
      } finally {
        cancellations.delete(id);
      }
    });
  }
});

function sample(policy: number, orders: readonly SampleOrder[]): void {
  try {
    const sampler = samplerOf(policy);
    const requests = orders.map(({ id, ...request }) => {
      const controller = new AbortController();
      cancellations.set(id, controller);
      return { ...request, signal: controller.signal };
    });
    for (const [index, promise] of sampler.sample(requests).entries()) {
      const { id } = orders[index]!;
      promise
        .then(
          (result) => post({ type: "result", id, result }),
          (error: unknown) => post({ type: "error", id, error: toWire(error) }),
        )
        .finally(() => cancellations.delete(id));
    }
  } catch (error) {
    for (const { id } of orders) post({ type: "error", id, error: toWire(error) });
  }
}

function addTo(sum: EngineTotals, sampler: Sampler): void {
  const { sampledTokens, computedPositions } = sampler.statistics();
  sum.tokensSampled += sampledTokens;
  sum.positionsComputed += computedPositions;
}

function samplerOf(policy: number): Sampler {
  const sampler = policies.get(policy);
  if (!sampler) throw new AttuneError("engine", "this policy has been closed");
  return sampler;
}

function current(): Learning {
  if (!learning) {
    const { source } = options;
    if ("model" in source) learning = learn(source.model);
    else if ("directory" in source) learning = fromDirectory(source.directory);
    else {
      const { preset, seed, vocabularySize, contextLength } = source;
      const shape = modelPresets[preset];
      learning = learn(
        createModel(
          {
            ...shape,
            vocabularySize: vocabularySize ?? shape.vocabularySize,
            contextLength: contextLength ?? shape.contextLength,
          },
          { seed },
        ),
      );
    }
  }
  return learning;
}

function fromDirectory(directory: string): Learning {
  if (!existsSync(join(directory, "state.json"))) return learn(loadHuggingFace(directory));
  const { model, optimizer, version } = loadCheckpoint(directory);
  return learn(model, optimizer, version);
}

function learn(model: Model, optimizer?: OptimizerState, version = 0): Learning {
  const training = createTraining(model, { threads });
  if (optimizer) training.restoreOptimizer(optimizer);
  return { model, training, version };
}

/** Log-probabilities and tokens change hands; nothing of them is copied. */
function post(message: FromWorker): void {
  port.postMessage(message, message.type === "result" ? buffersOf(message.result) : []);
}

function buffersOf(result: Extract<FromWorker, { type: "result" }>["result"]): ArrayBuffer[] {
  if (result === undefined) return [];
  const arrays = Array.isArray(result)
    ? result
    : "stopReason" in result
      ? [result.tokens, result.logprobs]
      : "logprobs" in result
        ? result.logprobs
        : [];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}

function toWire(error: unknown): WireError {
  if (error instanceof AttuneError) return { kind: error.kind, message: error.message };
  if (error instanceof Error && error.name === "AbortError")
    return { kind: "cancelled", message: error.message };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return (error as NodeJS.ErrnoException).code === undefined
    ? { kind: "bug", message, stack }
    : { kind: "io", message };
}
