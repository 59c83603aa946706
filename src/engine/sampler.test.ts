import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import type { SamplingParams } from "../spec/policy.ts";
import { createDraw } from "./draw.ts";
import { createModel, type ModelConfig, modelPresets } from "./model.ts";
import { createSampler, type SamplerOptions } from "./sampler.ts";
import { createTraining } from "./training.ts";

const tiny: ModelConfig = {
  ...modelPresets.nano,
  vocabularySize: 50,
  hiddenSize: 16,
  layers: 2,
  heads: 4,
  headSize: 4,
  keyValueHeads: 2,
  feedForwardSize: 24,
  contextLength: 160,
};
const model = createModel(tiny, { seed: 3, deviation: 0.4 });
const params: SamplingParams = { maxTokens: 12, temperature: 1, seed: 5 };
const prompt = (seed: number, length: number) => {
  const random = createRandom(seed);
  return Int32Array.from({ length }, () => random.integer(50));
};
const open = (options: Partial<SamplerOptions> = {}) =>
  createSampler(model, { threads: 1, slots: 8, cacheBytes: 1e7, ...options });

describe("the sampler", () => {
  it("gives the log-probabilities that a later forward pass gives, within 1e-5", async () => {
    const sampler = await open();
    const prompts = [prompt(1, 5), prompt(2, 33), prompt(3, 70)];
    const samples = await Promise.all(
      sampler.sample(
        prompts.map((prompt, stream) => ({ prompt, stream, params: { ...params, maxTokens: 40 } })),
      ),
    );
    const training = createTraining(model, { threads: 1 });
    for (const [index, { tokens, logprobs }] of samples.entries()) {
      const all = Int32Array.from([...prompts[index]!, ...tokens]);
      const from = prompts[index]!.length - 1;
      const weights = Float32Array.from({ length: all.length - 1 }, (_, at) => (at >= from ? 1 : 0));
      const [forward] = await training.forward([
        { tokens: all.slice(0, -1), targets: all.slice(1), weights },
      ]);
      for (const [at, logprob] of logprobs.entries())
        expect(Math.abs(logprob - forward![from + at]!)).toBeLessThan(1e-5);
    }
    await Promise.all([training.close(), sampler.close()]);
  });

  it("keeps a conversation's past: the next turn gives the same tokens and runs only what is new", async () => {
    const kept = await open();
    const fresh = await open({ cacheBytes: 0 });
    let [a, b] = [prompt(4, 20), prompt(4, 20)];
    for (let turn = 0; turn < 4; turn++) {
      const before = kept.statistics();
      const request = (prompt: Int32Array) => [{ prompt, stream: turn, params }];
      const [[first], [second]] = await Promise.all([
        Promise.all(kept.sample(request(a))),
        Promise.all(fresh.sample(request(b))),
      ]);
      expect(first!.tokens).toEqual(second!.tokens);
      for (const [at, logprob] of first!.logprobs.entries())
        expect(Math.abs(logprob - second!.logprobs[at]!)).toBeLessThan(1e-5);
      const after = kept.statistics();
      if (turn > 0) {
        expect(after.cachedPositions - before.cachedPositions).toBe(a.length - 4);
        expect(after.computedPositions - before.computedPositions).toBe(4 + first!.tokens.length - 1);
      }
      a = Int32Array.from([...a, ...first!.tokens, 1, 2, 3]);
      b = a.slice();
    }
    await Promise.all([kept.close(), fresh.close()]);
  });

  it("goes on from one past in several ways at once, and again from each, without mixing them up", async () => {
    const kept = await open();
    const fresh = await open({ cacheBytes: 0 });
    const [root] = await Promise.all(kept.sample([{ prompt: prompt(6, 30), stream: 0, params }]));
    const past = [...prompt(6, 30), ...root!.tokens];
    let branches = [1, 2, 3].map((word) => Int32Array.from([...past, word]));
    for (let turn = 0; turn < 3; turn++) {
      const requests = branches.map((prompt, stream) => ({ prompt, stream, params }));
      const [ours, theirs] = await Promise.all([
        Promise.all(kept.sample(requests)),
        Promise.all(fresh.sample(requests)),
      ]);
      expect(ours.map(({ tokens }) => tokens)).toEqual(theirs.map(({ tokens }) => tokens));
      branches = branches.map((branch, index) => Int32Array.from([...branch, ...ours[index]!.tokens, turn]));
    }
    await Promise.all([kept.close(), fresh.close()]);
  });

  it("runs a prompt that a group shares once, and draws different samples from it", async () => {
    const sampler = await open();
    const shared = prompt(6, 30);
    const samples = await Promise.all(
      sampler.sample(
        Array.from({ length: 6 }, (_, stream) => ({
          prompt: shared,
          stream,
          params: { ...params, maxTokens: 1 },
        })),
      ),
    );
    expect(sampler.statistics().computedPositions).toBe(30);
    expect(new Set(samples.map(({ tokens }) => tokens[0])).size).toBeGreaterThan(1);
    await sampler.close();
  });

  it("repeats bit for bit, and lets no row be disturbed by its neighbours coming and going", async () => {
    const requests = Array.from({ length: 20 }, (_, index) => ({
      prompt: prompt(index, 3 + index * 4),
      stream: 0,
      params: { ...params, seed: index, maxTokens: 1 + (index % 7) * 5 },
    }));
    const play = async () => {
      const sampler = await open({ slots: 6 });
      const samples = await Promise.all(sampler.sample(requests));
      await sampler.close();
      return samples;
    };
    const [first, second] = [await play(), await play()];
    expect(first).toEqual(second);
    const alone = await open({ slots: 1, cacheBytes: 0 });
    for (const [index, request] of requests.entries()) {
      const [sample] = await Promise.all(alone.sample([request]));
      expect(sample!.tokens).toEqual(first[index]!.tokens);
    }
    await alone.close();
  });

  it("stops at stop tokens and at stop strings inside of tokens, and keeps what completed them", async () => {
    const bytes = (id: number) => Buffer.from(`<${id}>`);
    const sampler = await open({ tokenBytes: bytes });
    const [free] = await Promise.all(sampler.sample([{ prompt: prompt(7, 10), stream: 0, params }]));
    const third = free!.tokens[2]!;
    const first = free!.tokens.indexOf(third) + 1;
    const [atToken] = await Promise.all(
      sampler.sample([{ prompt: prompt(7, 10), stream: 0, params: { ...params, stopTokens: [third] } }]),
    );
    expect(Array.from(atToken!.tokens)).toEqual(Array.from(free!.tokens).slice(0, first));
    expect(atToken!.stopReason).toBe("stop");
    const [a, b] = free!.tokens;
    const [atString] = await Promise.all(
      sampler.sample([
        { prompt: prompt(7, 10), stream: 0, params: { ...params, stop: [`${a}><${String(b).slice(0, 1)}`] } },
      ]),
    );
    expect([...atString!.tokens]).toEqual([a, b]);
    expect(free!.stopReason).toBe("length");
    await sampler.close();
  });

  it("ends at the context, and refuses what it cannot sample", async () => {
    const sampler = await open();
    const one = async (request: { prompt: Int32Array; params?: Partial<SamplingParams> }) =>
      (
        await Promise.all(
          sampler.sample([{ stream: 0, prompt: request.prompt, params: { ...params, ...request.params } }]),
        )
      )[0]!;
    expect((await one({ prompt: prompt(1, 155) })).tokens.length).toBe(5);
    await expect(one({ prompt: prompt(1, 160) })).rejects.toThrow(
      "160 tokens leave no room in a context of 160",
    );
    await expect(one({ prompt: new Int32Array(0) })).rejects.toThrow("expected at least one token, got none");
    await expect(one({ prompt: Int32Array.of(1, 50) })).rejects.toThrow(
      "token id 50, and the vocabulary has 50",
    );
    await expect(one({ prompt: prompt(1, 3), params: { temperature: -1 } })).rejects.toThrow(
      "temperature: expected 0 or more",
    );
    await expect(one({ prompt: prompt(1, 3), params: { stop: ["x"] } })).rejects.toThrow(
      "given no tokenizer",
    );
    await sampler.close();
  });

  it("lets go of an aborted request and goes on with the others", async () => {
    const sampler = await open({ slots: 2 });
    const controller = new AbortController();
    const requests = [0, 1, 2].map((index) => ({
      prompt: prompt(index, 9),
      stream: 0,
      params: { ...params, maxTokens: 100 },
      ...(index === 1 && { signal: controller.signal }),
    }));
    const [first, second, third] = sampler.sample(requests);
    setImmediate(() => controller.abort(new Error("changed my mind")));
    await expect(second).rejects.toThrow("changed my mind");
    expect((await first!).tokens.length).toBe(100);
    expect((await third!).tokens.length).toBe(100);
    await sampler.close();
  });

  it("fails what waits when it is closed", async () => {
    const sampler = await open();
    const [sample] = sampler.sample([
      { prompt: prompt(1, 9), stream: 0, params: { ...params, maxTokens: 140 } },
    ]);
    const refused = expect(sample).rejects.toThrow("this policy has been closed");
    await sampler.close();
    await refused;
  });
});

describe("a draw", () => {
  const logits = Float32Array.of(2, 1, 0, -1, 0.5);
  const probabilities = (() => {
    const odds = [...logits].map(Math.exp);
    const total = odds.reduce((sum, odd) => sum + odd, 0);
    return odds.map((odd) => odd / total);
  })();
  const counts = (changes: Partial<SamplingParams>, draws = 20_000) => {
    const draw = createDraw(5);
    const random = createRandom(11);
    const result = [0, 0, 0, 0, 0];
    for (let index = 0; index < draws; index++)
      result[draw(logits, 0, { ...params, ...changes }, random).token]!++;
    return result;
  };

  it("follows the distribution (chi-square, 4 degrees of freedom, p > 0.001)", () => {
    const observed = counts({});
    const statistic = observed.reduce(
      (total, count, id) =>
        total + (count - 20_000 * probabilities[id]!) ** 2 / (20_000 * probabilities[id]!),
      0,
    );
    expect(statistic).toBeLessThan(18.5);
  });

  it("is greedy at temperature 0, and sharper below 1", () => {
    expect(counts({ temperature: 0 }, 10)).toEqual([10, 0, 0, 0, 0]);
    expect(counts({ temperature: 0.5 })[0]!).toBeGreaterThan(counts({})[0]!);
  });

  it("leaves out what top-k, top-p and min-p leave out", () => {
    const kept = (changes: Partial<SamplingParams>) =>
      counts(changes).flatMap((count, id) => (count > 0 ? [id] : []));
    expect(kept({ topK: 2 })).toEqual([0, 1]);
    expect(kept({ topP: 0.7 })).toEqual([0, 1]);
    expect(kept({ minP: 0.2 })).toEqual([0, 1, 4]);
    expect(kept({ topP: 1e-9 })).toEqual([0]);
  });

  it("reports the log-probability of the untempered, untruncated distribution", () => {
    const draw = createDraw(5);
    const { token, logprob } = draw(logits, 0, { ...params, temperature: 0.1, topK: 1 }, createRandom(1));
    expect(token).toBe(0);
    expect(logprob).toBeCloseTo(Math.log(probabilities[0]!), 10);
  });
});
