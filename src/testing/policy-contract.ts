import { afterEach, describe, expect, it } from "vitest";
import type { Policy, Sample, SampleRequest, SamplingParams } from "../spec/policy.ts";

export type PolicyContractOptions = {
  /**
   * The same small policy each time, with a context of at least 32 tokens and a vocabulary of at least 32. The suite
   * closes it.
   */
  create(): Promise<Policy>;
  /** Largest difference between two computations of the same log-probability. */
  logprobTolerance?: number;
};

const params: SamplingParams = { maxTokens: 8, temperature: 1, seed: 5 };
const prompt = Int32Array.of(3, 1, 4, 1, 5);

/** Declares the suite that every `Policy` must pass. Call it from the driver's test file. */
export function policyContract(name: string, { create, logprobTolerance = 1e-5 }: PolicyContractOptions) {
  const opened: Policy[] = [];
  const start = async () => {
    const policy = await create();
    opened.push(policy);
    return policy;
  };
  const close = (a: number, b: number) => Math.abs(a - b) < logprobTolerance;

  describe(`${name} keeps the policy contract`, () => {
    afterEach(async () => {
      await Promise.all(opened.splice(0).map(async (policy) => policy.close?.()));
    });

    it("gives a log-probability for each token, of ids in its vocabulary", async () => {
      const policy = await start();
      const samples = await policy.sample({ prompt, params, count: 5 });
      expect(samples.length).toBe(5);
      for (const { tokens, logprobs, stopReason } of samples) {
        expect(tokens.length).toBe(params.maxTokens);
        expect(logprobs.length).toBe(tokens.length);
        expect(stopReason).toBe("length");
        expect(tokens.every((token) => token >= 0 && token < policy.tokenizer.vocabularySize)).toBe(true);
        expect(logprobs.every((logprob) => logprob <= 0 && Number.isFinite(logprob))).toBe(true);
      }
    });

    it("repeats a sample from its seed, and draws others from others", async () => {
      const [first, second] = [await start(), await start()];
      const expected = await first.sample({ prompt, params, count: 3 });
      expect(await second.sample({ prompt, params, count: 3 })).toEqual(expected);
      const [other] = await second.sample({ prompt, params: { ...params, seed: 6 } });
      expect(other!.tokens).not.toEqual(expected[0]!.tokens);
    });

    it("draws each sample of a request from a random stream of its own", async () => {
      const policy = await start();
      const three = await policy.sample({ prompt, params, count: 3 });
      expect(new Set(three.map(({ tokens }) => tokens.join())).size).toBe(3);
      const [alone] = await policy.sample({ prompt, params });
      expect(alone!.tokens).toEqual(three[0]!.tokens);
    });

    it("draws tokens as often as it says they are likely", async () => {
      const policy = await start();
      const count = 600;
      const samples = await policy.sample({ prompt, params: { ...params, maxTokens: 1 }, count });
      const seen = new Map<number, { times: number; probability: number }>();
      for (const { tokens, logprobs } of samples) {
        const { times } = seen.get(tokens[0]!) ?? { times: 0 };
        seen.set(tokens[0]!, { times: times + 1, probability: Math.exp(logprobs[0]!) });
      }
      for (const { times, probability } of seen.values()) {
        const deviation = Math.sqrt(count * probability * (1 - probability));
        expect(Math.abs(times - count * probability)).toBeLessThan(5 * deviation + 1);
      }
    });

    it("takes the likeliest token at temperature 0 and with a top-k of 1, whatever the seed", async () => {
      const policy = await start();
      const draw = (change: Partial<SamplingParams>) => one(policy, { params: { ...params, ...change } });
      const greedy = await draw({ temperature: 0 });
      for (const change of [
        { temperature: 0, seed: 77 },
        { topK: 1, seed: 78 },
        { topP: 1e-6, seed: 79 },
        { minP: 1, seed: 80 },
      ]) {
        expect((await draw(change)).tokens).toEqual(greedy.tokens);
      }
      const [likeliest] = greedy.logprobs;
      const others = await policy.sample({ prompt, params: { ...params, maxTokens: 1 }, count: 40 });
      for (const { logprobs } of others) expect(logprobs[0]! - likeliest!).toBeLessThan(logprobTolerance);
    });

    it("gives log-probabilities of the distribution before temperature and truncation", async () => {
      const policy = await start();
      const plain = await one(policy, { params: { ...params, temperature: 0 } });
      const hot = await one(policy, { params: { ...params, temperature: 3, topK: 1 } });
      expect(hot.tokens).toEqual(plain.tokens);
      for (const [at, logprob] of hot.logprobs.entries())
        expect(close(logprob, plain.logprobs[at]!)).toBe(true);
    });

    it("goes on with a conversation as if it had been one", async () => {
      const policy = await start();
      const greedy = { ...params, temperature: 0 };
      const whole = await one(policy, { params: greedy });
      const first = await one(policy, { params: { ...greedy, maxTokens: 3 } });
      const rest = await one(policy, {
        prompt: Int32Array.from([...prompt, ...first.tokens]),
        params: { ...greedy, maxTokens: 5 },
      });
      expect([...first.tokens, ...rest.tokens]).toEqual([...whole.tokens]);
      const logprobs = [...first.logprobs, ...rest.logprobs];
      expect(logprobs.every((logprob, at) => close(logprob, whole.logprobs[at]!))).toBe(true);
    });

    it("is not disturbed by what else is being sampled", async () => {
      const policy = await start();
      const requests = Array.from({ length: 6 }, (_, index) => ({
        prompt: prompt.map((id) => id + index),
        params: { ...params, seed: index, maxTokens: 2 + index },
      }));
      const together = await Promise.all(requests.map((request) => one(policy, request)));
      for (const [index, request] of requests.entries()) {
        const alone = await one(policy, request);
        expect(alone.tokens).toEqual(together[index]!.tokens);
      }
    });

    it("ends at a stop token and keeps it", async () => {
      const policy = await start();
      const free = await one(policy);
      const stop = free.tokens[3]!;
      const { tokens, stopReason } = await one(policy, { params: { ...params, stopTokens: [stop] } });
      expect([...tokens]).toEqual([...free.tokens.subarray(0, free.tokens.indexOf(stop) + 1)]);
      expect(stopReason).toBe("stop");
    });

    it("ends at a stop text and keeps the tokens that complete it", async () => {
      const policy = await start();
      const free = await one(policy);
      const stop = policy.tokenizer.decode(free.tokens.subarray(2, 4));
      const { tokens, stopReason } = await one(policy, { params: { ...params, stop: [stop] } });
      expect(tokens.length).toBeLessThanOrEqual(4);
      expect([...tokens]).toEqual([...free.tokens.subarray(0, tokens.length)]);
      expect(policy.tokenizer.decode(tokens)).toContain(stop);
      expect(stopReason).toBe("stop");
    });

    it("ends where its context does", async () => {
      const policy = await start();
      const long = new Int32Array(policy.contextLength - 3).fill(2);
      const { tokens, stopReason } = await one(policy, { prompt: long });
      expect(tokens.length).toBe(3);
      expect(stopReason).toBe("length");
    });

    it.each<[string, (policy: Policy) => Partial<SampleRequest>, RegExp]>([
      ["a token outside of its vocabulary", () => ({ prompt: Int32Array.of(10_000_000) }), /10000000/],
      ["a negative token", () => ({ prompt: Int32Array.of(1, -4) }), /-4/],
      [
        "a prompt that fills its context",
        ({ contextLength }) => ({ prompt: new Int32Array(contextLength) }),
        /context/,
      ],
      ["no token to draw", () => ({ params: { ...params, maxTokens: 0 } }), /got 0/],
      ["a negative temperature", () => ({ params: { ...params, temperature: -1 } }), /got -1/],
    ])("refuses %s, and goes on", async (_what, request, message) => {
      const policy = await start();
      await expect(policy.sample({ prompt, params, ...request(policy) })).rejects.toThrow(message);
      expect((await one(policy)).tokens.length).toBe(params.maxTokens);
    });

    it("stops when aborted, early or on the way, and lets the others finish", async () => {
      const policy = await start();
      const reason = new Error("enough");
      const long = { prompt, params: { ...params, maxTokens: policy.contextLength - prompt.length } };
      await expect(policy.sample({ ...long, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

      const controller = new AbortController();
      const doomed = policy.sample({ ...long, signal: controller.signal });
      const other = policy.sample(long);
      controller.abort(reason);
      await expect(doomed).rejects.toBe(reason);
      expect((await other)[0]!.tokens.length).toBe(long.params.maxTokens);
    });

    it("refuses to be sampled from once it has been closed", async () => {
      const policy = await start();
      if (!policy.close) return;
      await policy.close();
      await policy.close();
      await expect(policy.sample({ prompt, params })).rejects.toThrow(/closed/);
    });
  });
}

async function one(policy: Policy, request: Partial<SampleRequest> = {}): Promise<Sample> {
  const [sample] = await policy.sample({ prompt, params, ...request });
  return sample!;
}
