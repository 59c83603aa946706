import { Worker } from "node:worker_threads";
import { AttuneError } from "../spec/error.ts";
import type { Policy } from "../spec/policy.ts";
import type { Tokenizer } from "../spec/tokenizer.ts";
import type { Trainer } from "../spec/trainer.ts";
import type { ModelConfig } from "./model.ts";
import type { EngineTotals, ModelSource, WorkerOptions } from "./protocol.ts";
import type { SamplerStatistics } from "./sampler.ts";
import { connectThread, type Thread } from "./thread.ts";
import { customForwardBackward } from "./training.ts";

export type EmbeddedTrainerOptions = {
  source: ModelSource;
  tokenizer: Tokenizer;
  /** What its policies are called. */
  name?: string;
  /** Threads of one operator. Results repeat bit for bit for the same number. */
  threads?: number;
  /** Rows sampled at the same time. */
  slots?: number;
  /** Bytes of keys and values a policy keeps for conversations that may go on. */
  cacheBytes?: number;
  /** Further files of every checkpoint, by name: tokenizer and chat template. */
  extraFiles?: Readonly<Record<string, string>>;
};

export interface EmbeddedPolicy extends Policy {
  statistics(): Promise<SamplerStatistics>;
  close(): Promise<void>;
}

export interface EmbeddedTrainer extends Trainer {
  config: ModelConfig;
  policy(): Promise<EmbeddedPolicy>;
  statistics(): Promise<EngineTotals>;
}

/**
 * The embedded engine as a trainer: one worker thread owns the model, so the caller's event loop never waits for
 * arithmetic. Calls take effect in the order in which they were made. A policy keeps its own copy of the weights
 * until it is closed; a thread that dies fails every call, the ones waiting and the ones to come.
 */
export async function createEmbeddedTrainer(options: EmbeddedTrainerOptions): Promise<EmbeddedTrainer> {
  const { tokenizer, name = "embedded", extraFiles = {} } = options;
  const thread = startThread({
    source: options.source,
    threads: options.threads ?? 2,
    slots: options.slots ?? 64,
    cacheBytes: options.cacheBytes ?? 256 * 2 ** 20,
    tokenBytes: tokenTable(tokenizer),
  });
  try {
    const { config } = await thread.call("describe", []);
    if (tokenizer.vocabularySize > config.vocabularySize) {
      throw new AttuneError(
        "input",
        `tokenizer has ${tokenizer.vocabularySize} tokens, and the model's vocabulary ${config.vocabularySize}`,
      );
    }
    return createTrainer(thread, { config, tokenizer, name, extraFiles });
  } catch (error) {
    await thread.stop();
    throw error;
  }
}

type Identity = { config: ModelConfig; tokenizer: Tokenizer; name: string };

function createTrainer(
  thread: Thread,
  { extraFiles, ...identity }: Identity & { extraFiles: Readonly<Record<string, string>> },
): EmbeddedTrainer {
  // a custom loss takes two trips to the thread, and nothing may come between them
  let line: Promise<unknown> = Promise.resolve();
  const inOrder = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = line.then(work);
    line = result.catch(() => undefined);
    return result;
  };

  return {
    config: identity.config,
    forwardBackward: (rows, loss, { signal } = {}) =>
      inOrder(async () => {
        if (loss.name !== "custom") return thread.call("forwardBackward", [rows, loss], { signal });
        // a function cannot cross the thread: it gets the log-probabilities here and sends weights back
        const remote: Parameters<typeof customForwardBackward>[0] = {
          forward: (given) => thread.call("forward", [given], { signal }),
          forwardBackward: (weighted) =>
            thread.call("forwardBackward", [weighted, { name: "cross_entropy" }], { signal }),
        };
        return customForwardBackward(remote, rows, loss, signal);
      }),
    optimStep: (params) => inOrder(() => thread.call("optimStep", [params])),
    resetOptimizer: () => inOrder(() => thread.call("resetOptimizer", [])),
    policy: () =>
      inOrder(async () => createPolicy(thread, { ...(await thread.call("openPolicy", [])), ...identity })),
    save: (directory) => inOrder(() => thread.call("save", [directory, extraFiles])),
    load: (directory) => inOrder(() => thread.call("load", [directory])),
    statistics: () => thread.call("totals", []),
    close: () => thread.stop(),
  };
}

function createPolicy(
  thread: Thread,
  { policy, version, config, tokenizer, name }: Identity & { policy: number; version: number },
): EmbeddedPolicy {
  return {
    name: `${name}@${version}`,
    version,
    tokenizer,
    contextLength: config.contextLength,
    sample: ({ prompt, params, count = 1, signal }) =>
      Promise.all(
        Array.from({ length: count }, (_, stream) =>
          // a copy: of a view, the whole buffer behind it would travel
          thread.sample(policy, { prompt: prompt.slice(), params, stream }, signal),
        ),
      ),
    statistics: () => thread.call("statistics", [policy]),
    close: async () => {
      if (!thread.isStopped()) await thread.call("closePolicy", [policy]);
    },
  };
}

function startThread(options: WorkerOptions): Thread {
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  return connectThread(new Worker(new URL(file, import.meta.url), { workerData: options }));
}

function tokenTable(tokenizer: Tokenizer): WorkerOptions["tokenBytes"] {
  const { vocabularySize } = tokenizer;
  const parts = Array.from({ length: vocabularySize }, (_, id) => tokenizer.bytesOf(id));
  const offsets = new Int32Array(vocabularySize + 1);
  for (const [id, part] of parts.entries()) offsets[id + 1] = offsets[id]! + part.length;
  return { bytes: new Uint8Array(Buffer.concat(parts)), offsets };
}
