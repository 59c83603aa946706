import { Worker } from "node:worker_threads";
import { AttuneError } from "../spec/error.ts";
import type { Policy, Sample, SampleRequest } from "../spec/policy.ts";
import type { Tokenizer } from "../spec/tokenizer.ts";
import type { Trainer } from "../spec/trainer.ts";
import type { ModelConfig } from "./model.ts";
import type {
  Calls,
  FromWorker,
  ModelSource,
  SampleOrder,
  ToWorker,
  Verb,
  WorkerOptions,
} from "./protocol.ts";
import type { SamplerStatistics } from "./sampler.ts";
import { customForwardBackward } from "./training.ts";

export type EmbeddedTrainerOptions = {
  source: ModelSource;
  tokenizer: Tokenizer;
  /** Threads of one operator. Results repeat bit for bit for the same number. */
  threads?: number;
  /** Rows sampled at the same time. */
  slots?: number;
  /** Bytes of keys and values a policy keeps for conversations that may go on. */
  cacheBytes?: number;
  /** Further files of every checkpoint, by name: tokenizer and chat template. */
  extraFiles?: Readonly<Record<string, string>>;
};

export type EmbeddedPolicy = Policy & { statistics(): Promise<SamplerStatistics>; close(): Promise<void> };

export type EmbeddedTrainer = Trainer & { config: ModelConfig; policy(): Promise<EmbeddedPolicy> };

/**
 * The embedded engine as a trainer: one worker thread owns the model, so the caller's event loop never waits for
 * arithmetic. A policy keeps its own copy of the weights until it is closed.
 */
export async function createEmbeddedTrainer(options: EmbeddedTrainerOptions): Promise<EmbeddedTrainer> {
  const { tokenizer, extraFiles = {} } = options;
  const workerOptions: WorkerOptions = {
    source: options.source,
    threads: options.threads ?? 2,
    slots: options.slots ?? 64,
    cacheBytes: options.cacheBytes ?? 256 * 2 ** 20,
    tokenBytes: tokenTable(tokenizer),
  };
  const thread = startThread(workerOptions);
  const { config } = await thread.call("describe").catch(async (error: unknown) => {
    await thread.stop();
    throw error;
  });
  if (tokenizer.vocabularySize > config.vocabularySize) {
    await thread.stop();
    throw new AttuneError(
      "input",
      `tokenizer has ${tokenizer.vocabularySize} tokens, and the model's vocabulary ${config.vocabularySize}`,
    );
  }

  const trainer: EmbeddedTrainer = {
    config,
    async forwardBackward(rows, loss, { signal } = {}) {
      signal?.throwIfAborted();
      if (loss.name !== "custom") return thread.call("forwardBackward", rows, loss);
      // a function cannot cross the thread: it gets the log-probabilities here and sends weights back
      const remote = {
        forward: () => thread.call("forward", rows),
        forwardBackward: (weighted: typeof rows) =>
          thread.call("forwardBackward", weighted, { name: "cross_entropy" }),
      };
      return customForwardBackward(remote, rows, loss, signal);
    },
    optimStep: (params) => thread.call("optimStep", params),
    resetOptimizer: () => thread.call("resetOptimizer"),
    async policy() {
      const opened = await thread.call("openPolicy");
      return createPolicy(thread, { ...opened, config, tokenizer });
    },
    save: (directory) => thread.call("save", directory, extraFiles),
    load: (directory) => thread.call("load", directory),
    close: () => thread.stop(),
  };
  return trainer;
}

function createPolicy(
  thread: Thread,
  {
    policy,
    version,
    config,
    tokenizer,
  }: { policy: number; version: number; config: ModelConfig; tokenizer: Tokenizer },
): EmbeddedPolicy {
  return {
    name: `embedded@${version}`,
    version,
    tokenizer,
    contextLength: config.contextLength,
    async sample({ prompt, params, count = 1, signal }: SampleRequest): Promise<Sample[]> {
      signal?.throwIfAborted();
      return Promise.all(
        Array.from({ length: count }, (_, stream) =>
          thread.sample(policy, { prompt, params, stream }, signal),
        ),
      );
    },
    statistics: () => thread.call("statistics", policy),
    close: () => thread.call("closePolicy", policy),
  };
}

type Thread = ReturnType<typeof startThread>;

/** Starts the worker and matches answers to questions. A worker that dies fails everything that waits for it. */
function startThread(options: WorkerOptions) {
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: options });
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let nextId = 0;
  let dead: AttuneError | undefined;
  let stopping: Promise<void> | undefined;

  const die = (message: string, cause?: unknown) => {
    dead ??= new AttuneError("engine", message, { cause });
    for (const { reject } of pending.values()) reject(dead);
    pending.clear();
  };
  worker.on("message", (message: FromWorker) => {
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (message.type === "result") waiting?.resolve(message.result);
    else waiting?.reject(fromWire(message.error));
    if (pending.size === 0) worker.unref();
  });
  worker.on("error", (error) => die(`the engine's thread failed: ${(error as Error).message}`, error));
  worker.on("exit", (code) =>
    die(stopping ? "the trainer has been closed" : `the engine's thread ended with code ${code}`),
  );

  const expectAnswer = <Result>(id: number) =>
    new Promise<Result>((resolve, reject) => {
      if (dead) return reject(dead);
      pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.ref();
      return undefined;
    });

  const call = <V extends Verb>(verb: V, ...given: Calls[V]["arguments"]): Promise<Calls[V]["result"]> => {
    if (stopping && verb !== "close")
      return Promise.reject(new AttuneError("engine", "the trainer has been closed"));
    const id = nextId++;
    const answer = expectAnswer<Calls[V]["result"]>(id);
    worker.postMessage({ type: "call", id, verb, arguments: given } as ToWorker);
    return answer;
  };

  const orders = new Map<number, SampleOrder[]>();
  const flush = (policy: number) => {
    worker.postMessage({ type: "sample", policy, orders: orders.get(policy)! } satisfies ToWorker);
    orders.delete(policy);
  };
  const sample = async (
    policy: number,
    order: Omit<SampleOrder, "id">,
    signal?: AbortSignal,
  ): Promise<Sample> => {
    if (stopping) throw new AttuneError("engine", "the trainer has been closed");
    const id = nextId++;
    const answer = expectAnswer<Sample>(id);
    if (!orders.has(policy)) {
      orders.set(policy, []);
      queueMicrotask(() => flush(policy));
    }
    orders.get(policy)!.push({ ...order, id });
    // behind the order itself, which may not have left yet
    const cancel = () => queueMicrotask(() => worker.postMessage({ type: "cancel", id } satisfies ToWorker));
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };

  const stop = () => {
    stopping ??= call("close")
      .catch(() => undefined)
      .then(async () => {
        await worker.terminate();
      });
    return stopping;
  };
  return { call, sample, stop };
}

function fromWire({ kind, message, stack }: { kind: string; message: string; stack?: string }): Error {
  if (kind === "bug" || kind === "cancelled") {
    const error = new Error(message);
    if (stack) error.stack = stack;
    return error;
  }
  return new AttuneError(kind as AttuneError["kind"], message);
}

function tokenTable({ vocabularySize, bytesOf }: Tokenizer): WorkerOptions["tokenBytes"] {
  const parts = Array.from({ length: vocabularySize }, (_, id) => bytesOf(id));
  const offsets = new Int32Array(vocabularySize + 1);
  for (const [id, part] of parts.entries()) offsets[id + 1] = offsets[id]! + part.length;
  return { bytes: new Uint8Array(Buffer.concat(parts)), offsets };
}
