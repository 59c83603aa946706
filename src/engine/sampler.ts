import { createRandom, deriveSeed, type Random } from "../kit/random.ts";
import { AttuneError } from "../spec/error.ts";
import type { Sample, SamplingParams, StopReason } from "../spec/policy.ts";
import { decodeGraph } from "./decode-graph.ts";
import { createDraw } from "./draw.ts";
import { createKeyValueCache, type StoredRow } from "./key-value-cache.ts";
import type { Model } from "./model.ts";
import { createPrefixCache } from "./prefix-cache.ts";
import { createSession, floats, integers } from "./session.ts";
import { createStopMatcher, type StopMatcher } from "./stop.ts";

/** One sample to draw. `stream` numbers the samples of one request, so that each has its own random numbers. */
export type SamplerRequest = {
  prompt: Int32Array;
  params: SamplingParams;
  stream: number;
  signal?: AbortSignal;
};

export type SamplerOptions = {
  threads: number;
  /** Rows sampled at the same time; more wait in line. */
  slots: number;
  /** Bytes of keys and values kept for conversations that may go on. */
  cacheBytes: number;
  /** Bytes of each token, for stop strings. */
  tokenBytes?: (id: number) => Uint8Array;
};

export type SamplerStatistics = {
  sampledTokens: number;
  /** Positions the model was run on, and prompt positions found in the cache instead. */
  computedPositions: number;
  cachedPositions: number;
};

export interface Sampler {
  /** Requests of one call are admitted together, in order; results depend on the sequence of calls alone. */
  sample(requests: readonly SamplerRequest[]): Promise<Sample>[];
  statistics(): SamplerStatistics;
  close(): Promise<void>;
}

type Row = {
  request: SamplerRequest;
  /** Prompt and sample so far; the first `cached` of them have keys and values. */
  tokens: Int32Array;
  length: number;
  cached: number;
  /** Keys and values kept of this conversation so far; this row alone owns them while it runs. */
  earlier?: StoredRow;
  logprobs: Float32Array;
  random: Random;
  stop: StopMatcher;
  stopped: boolean;
  resolve(sample: Sample): void;
  reject(error: unknown): void;
};

/** Most rows whose prompts are run together; bounds the memory of a prefill. */
const prefillRows = 32;

/** Continuous batching over a frozen copy of a model's weights. */
export async function createSampler(model: Model, options: SamplerOptions): Promise<Sampler> {
  const { config } = model;
  const session = await createSession(decodeGraph(model), { threads: options.threads });
  const cache = createKeyValueCache(config, { rows: options.slots });
  const prefixes = createPrefixCache({ bytes: options.cacheBytes });
  const draw = createDraw(config.vocabularySize);
  const statistics: SamplerStatistics = { sampledTokens: 0, computedPositions: 0, cachedPositions: 0 };
  const waiting: Row[] = [];
  /** Active rows, dense: row i of the cache belongs to rows[i]. */
  const rows: Row[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  /** Runs the next `counts[i]` uncached tokens of rows [from, from + counts.length); logits of each row's last. */
  const run = async (from: number, counts: readonly number[]): Promise<Float32Array> => {
    const batch = counts.length;
    const length = Math.max(...counts);
    const members = rows.slice(from, from + batch);
    cache.reserve(
      Math.max(...rows.map((row) => row.cached), ...members.map((row, index) => row.cached + counts[index]!)),
      rows.map((row) => row.cached),
    );
    const capacity = cache.capacity();
    const ids = new Int32Array(batch * length);
    const positions = new Int32Array(batch * length);
    const picks = new Int32Array(batch);
    const mask = new Float32Array(batch * length * (capacity + length)).fill(-1e9);
    for (const [index, row] of members.entries()) {
      const count = counts[index]!;
      for (let step = 0; step < length; step++) {
        const cell = index * length + step;
        const start = cell * (capacity + length);
        ids[cell] = row.tokens[row.cached + Math.min(step, count - 1)]!;
        positions[cell] = row.cached + Math.min(step, count - 1);
        mask.fill(0, start, start + row.cached);
        mask.fill(0, start + capacity, start + capacity + Math.min(step, count - 1) + 1);
      }
      picks[index] = index * length + count - 1;
    }
    const feeds: Record<string, ReturnType<typeof floats>> = {
      ids: integers(ids, [batch, length]),
      positions: integers(positions, [batch, length]),
      mask: floats(mask, [batch, 1, 1, length, capacity + length]),
      picks: integers(picks, [batch]),
    };
    for (let layer = 0; layer < config.layers; layer++) {
      const { keys, values } = cache.view(layer, from, batch);
      feeds[`keys ${layer}`] = floats(keys, [batch, config.keyValueHeads, capacity, config.headSize]);
      feeds[`values ${layer}`] = floats(values, [batch, config.keyValueHeads, capacity, config.headSize]);
    }
    const results = await session.run(feeds);
    for (let layer = 0; layer < config.layers; layer++) {
      const keys = results[`new keys ${layer}`]!.data as Float32Array;
      const values = results[`new values ${layer}`]!.data as Float32Array;
      for (const [index, row] of members.entries()) {
        const target = { row: from + index, length: row.cached };
        cache.append(layer, target, { keys, values, row: index, capacity: length }, counts[index]!);
      }
    }
    for (const [index, row] of members.entries()) row.cached += counts[index]!;
    statistics.computedPositions += counts.reduce((total, count) => total + count, 0);
    return results["logits"]!.data as Float32Array;
  };

  /** Takes waiting requests into free rows, runs what their prompts add to the cache, and draws first tokens. */
  const admit = async () => {
    const joining = waiting.splice(0, options.slots - rows.length);
    if (joining.length === 0) return;
    if (rows.length === 0) cache.reserve(Math.max(...joining.map(({ length }) => length)), []);

    // of equal prompts only the first is run; found prefixes are looked up once, before anything is stored over
    const leaders = new Map<string, Row>();
    const found = new Map<Row, ReturnType<typeof prefixes.find>>();
    for (const row of joining) {
      const key = row.tokens.subarray(0, row.length).join();
      if (leaders.has(key)) continue;
      leaders.set(key, row);
      found.set(row, prefixes.find(row.request.prompt));
    }
    const fresh = (row: Row) => row.length - (found.get(row)?.length ?? 0);
    const order = [...leaders.values()].sort((a, b) => fresh(a) - fresh(b));

    for (let start = 0; start < order.length; start += prefillRows) {
      const batch = order.slice(start, start + prefillRows);
      const from = rows.length;
      rows.push(...batch);
      cache.reserve(
        Math.max(...rows.map(({ length }) => length)),
        rows.slice(0, from).map(({ cached }) => cached),
      );
      for (const [index, row] of batch.entries()) {
        const prefix = found.get(row);
        if (!prefix) continue;
        cache.restore(prefix.row, from + index, prefix.length);
        row.cached = prefix.length;
        // of several rows that go on from one, the first takes it over
        const whole = prefix.length === prefix.row.tokens.length;
        if (whole && prefixes.remove(prefix.row)) row.earlier = prefix.row;
      }
      const logits = await run(
        from,
        batch.map((row) => row.length - row.cached),
      );
      for (const [index, row] of batch.entries()) {
        const key = row.tokens.subarray(0, row.length).join();
        const followers = joining.filter(
          (other) => other !== row && other.tokens.subarray(0, other.length).join() === key,
        );
        const offset = index * config.vocabularySize;
        const prompt = row.length;
        for (const follower of followers) {
          rows.push(follower);
          cache.copy(from + index, rows.length - 1, prompt);
          follower.cached = prompt;
          statistics.cachedPositions += prompt;
          step(follower, logits, offset);
        }
        statistics.cachedPositions += found.get(row)?.length ?? 0;
        step(row, logits, offset);
      }
    }
    removeFinished();
  };

  /** Draws a row's next token. */
  const step = (row: Row, logits: Float32Array, offset: number) => {
    const { token, logprob } = draw(logits, offset, row.request.params, row.random);
    row.logprobs[row.length - row.request.prompt.length] = logprob;
    row.tokens[row.length++] = token;
    row.stopped = row.stop(token);
    statistics.sampledTokens++;
  };

  const removeFinished = () => {
    for (let index = rows.length - 1; index >= 0; index--) {
      const row = rows[index]!;
      const aborted = row.request.signal?.aborted ?? false;
      const reason = aborted ? undefined : stopReason(row);
      if (!aborted && reason === undefined) continue;
      if (reason !== undefined) {
        if (options.cacheBytes > 0)
          prefixes.keep(cache.store(index, row.tokens.slice(0, row.cached), row.earlier));
        const from = row.request.prompt.length;
        row.resolve({
          tokens: row.tokens.slice(from, row.length),
          logprobs: row.logprobs.slice(0, row.length - from),
          stopReason: reason,
        });
      } else row.reject(row.request.signal!.reason);
      const last = rows.pop()!;
      if (last !== row) {
        cache.copy(rows.length, index, last.cached);
        rows[index] = last;
      }
    }
  };

  const stopReason = (row: Row): StopReason | undefined => {
    if (row.stopped) return "stop";
    const sampled = row.length - row.request.prompt.length;
    return sampled === row.logprobs.length ? "length" : undefined;
  };

  /** Steps until nothing is left, letting messages in between. */
  const drain = async () => {
    try {
      while (waiting.length > 0 || rows.length > 0) {
        for (let index = waiting.length - 1; index >= 0; index--) {
          const { signal } = waiting[index]!.request;
          if (signal?.aborted) waiting.splice(index, 1)[0]!.reject(signal.reason);
        }
        await admit();
        if (rows.length > 0) {
          const batch = [...rows];
          const logits = await run(
            0,
            batch.map(() => 1),
          );
          for (const [index, row] of batch.entries()) step(row, logits, index * config.vocabularySize);
          removeFinished();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      for (const row of [...waiting.splice(0), ...rows.splice(0)]) row.reject(error);
    } finally {
      running = undefined;
    }
  };

  const enqueue = (request: SamplerRequest): Promise<Sample> => {
    if (closed) return Promise.reject(new AttuneError("engine", "this policy has been closed"));
    return new Promise((resolve, reject) => {
      try {
        request.signal?.throwIfAborted();
        waiting.push(toRow(request, { resolve, reject }));
      } catch (error) {
        reject(error);
      }
    });
  };

  const toRow = (request: SamplerRequest, { resolve, reject }: Pick<Row, "resolve" | "reject">): Row => {
    const { prompt, params, stream } = request;
    const { contextLength, vocabularySize } = config;
    const bad = prompt.find((id) => id < 0 || id >= vocabularySize);
    if (bad !== undefined)
      throw new AttuneError("input", `prompt: token id ${bad}, and the vocabulary has ${vocabularySize}`);
    if (prompt.length === 0) throw new AttuneError("input", "prompt: expected at least one token, got none");
    if (prompt.length >= contextLength) {
      throw new AttuneError(
        "engine",
        `prompt: ${prompt.length} tokens leave no room in a context of ${contextLength}`,
      );
    }
    if (!(params.maxTokens >= 1))
      throw new AttuneError("input", `maxTokens: expected at least 1, got ${params.maxTokens}`);
    if (!(params.temperature >= 0))
      throw new AttuneError("input", `temperature: expected 0 or more, got ${params.temperature}`);
    const room = Math.min(params.maxTokens, contextLength - prompt.length);
    const tokens = new Int32Array(prompt.length + room);
    tokens.set(prompt);
    return {
      request,
      tokens,
      length: prompt.length,
      cached: 0,
      logprobs: new Float32Array(room),
      random: createRandom(deriveSeed(params.seed, "sample", stream)),
      stop: createStopMatcher(params, options.tokenBytes),
      stopped: false,
      resolve,
      reject,
    };
  };

  return {
    sample(requests) {
      const samples = requests.map(enqueue);
      if (waiting.length > 0) running ??= drain();
      return samples;
    },
    statistics: () => ({ ...statistics }),
    async close() {
      closed = true;
      for (const row of waiting.splice(0))
        row.reject(new AttuneError("engine", "this policy has been closed"));
      for (const row of rows)
        row.request = {
          ...row.request,
          signal: AbortSignal.abort(new AttuneError("engine", "this policy has been closed")),
        };
      await running;
      await session.release();
    },
  };
}
