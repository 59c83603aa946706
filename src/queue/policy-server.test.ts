import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Policy } from "../spec/policy.ts";
import { byteRenderer, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { type PolicyServer, servePolicies } from "./policy-server.ts";
import { fetchRendererFiles, remotePolicy, StalePolicyError } from "./remote-policy.ts";
import { decodeOrder, decodeReply, encodeOrder, encodeReply } from "./sample-wire.ts";

const prompt = byteTokenizer.encode("user:hello\nassistant:");
const params = { maxTokens: 50, temperature: 1, seed: 4 };
const scripted = scriptedPolicy((text) => `you said ${text.slice(5, 10)}`, { renderer: byteRenderer });

describe("a policy that is served", () => {
  let server: PolicyServer;
  afterEach(() => server.close());

  async function serve(
    policy: Policy,
    changes: Partial<{ key: string; number: number; version: number }> = {},
  ) {
    const failures: unknown[] = [];
    server = await servePolicies({ rendererFiles: { "tokenizer.json": "{}" } });
    const number = server.open(policy, (error) => failures.push(error));
    const { name, version, contextLength } = policy;
    const wanted = { url: server.url, key: server.key, number, version, name, contextLength, ...changes };
    return { remote: remotePolicy(wanted, byteTokenizer), wanted, number, failures };
  }

  it("gives elsewhere what it gives here, token by token", async () => {
    const { remote, wanted } = await serve(scripted);
    const request = { prompt, params, count: 3 };
    expect(await remote.sample(request)).toEqual(await scripted.sample(request));
    expect(await fetchRendererFiles(wanted, new AbortController().signal)).toEqual({
      "tokenizer.json": "{}",
    });
  });

  it("is refused to whoever comes late, has another key or expects another version", async () => {
    const { remote, wanted, number } = await serve(scripted);
    const other = (changes: object) =>
      remotePolicy({ ...wanted, ...changes }, byteTokenizer).sample({ prompt, params });
    await expect(other({ key: "another" })).rejects.toThrow(
      "key: got another one, expected the server's key",
    );
    await expect(other({ number: 7 })).rejects.toThrow("policy 7 is not served any more");
    await expect(other({ version: 9 })).rejects.toThrow("got version 0, expected 9");
    await server.shut(number);
    await expect(remote.sample({ prompt, params })).rejects.toThrow(StalePolicyError);
    expect(server.open(scripted, () => undefined)).toBeGreaterThan(number);
  });

  it("ends what is being sampled when it is closed, and when the caller goes", async () => {
    const signals: AbortSignal[] = [];
    const slow: Policy = {
      ...scripted,
      async sample({ signal }) {
        signals.push(signal!);
        await wait(60_000, undefined, { signal: signal! });
        return [];
      },
    };
    const { remote, number, failures } = await serve(slow);
    const stop = new AbortController();
    const first = remote.sample({ prompt, params, signal: stop.signal });
    while (signals.length < 1) await wait(5);
    stop.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    while (!signals[0]!.aborted) await wait(5);
    const second = remote.sample({ prompt, params });
    while (signals.length < 2) await wait(5);
    await Promise.all([server.shut(number), expect(second).rejects.toThrow(StalePolicyError)]);
    expect(failures).toEqual([]);
  });

  it("tells its own failure to the trainer, and a body of nonsense to the caller alone", async () => {
    const broken: Policy = { ...scripted, sample: async () => Promise.reject(new Error("no more\nbecause")) };
    const { remote, wanted, failures } = await serve(broken);
    await expect(remote.sample({ prompt, params })).rejects.toThrow(/policies\/0\/sample: no more$/);
    expect(failures).toEqual([new Error("no more\nbecause")]);
    const ask = async (body: Uint8Array<ArrayBuffer>) => {
      const response = await fetch(`${wanted.url}/policies/0/sample`, {
        method: "POST",
        headers: { authorization: `Bearer ${wanted.key}` },
        body,
      });
      return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
    };
    expect(await ask(new Uint8Array(3))).toEqual([
      400,
      "sample request: expected a multiple of 4 bytes, got 3",
    ]);
    expect(await ask(new Uint8Array([200, 0, 0, 0]))).toEqual([
      400,
      "sample request: expected a header of 200 bytes, got 0 bytes in all",
    ]);
    expect(await ask(encodeOrder({ prompt: Int32Array.of(257), params, count: 1 }))).toEqual([
      400,
      "sample request: token 257 is not in a vocabulary of 257",
    ]);
    expect(await ask(encodeOrder({ prompt, params: { ...params, maxTokens: 0 }, count: 1 }))).toEqual([
      400,
      expect.stringContaining("params.maxTokens"),
    ]);
    expect(failures).toHaveLength(1);
  });
});

describe("bytes of a sample", () => {
  it("are read as they were written, whatever the lengths", () => {
    for (const lengths of [[], [0], [1, 3], [5]]) {
      const samples = lengths.map((length) => ({
        tokens: Int32Array.from({ length }, (_, index) => index),
        logprobs: Float32Array.from({ length }, (_, index) => -index / 3),
        stopReason: "length" as const,
      }));
      const bytes = encodeReply({ version: 3, samples });
      expect(decodeReply(bytes.buffer, 10)).toEqual({ version: 3, samples });
    }
    const order = { prompt: Int32Array.of(1, 2), params: { ...params, stop: ["é"] }, count: 2 };
    expect(decodeOrder(encodeOrder(order).buffer, 10)).toEqual(order);
  });

  it("that are cut or longer than they say are refused", () => {
    const samples = [
      { tokens: Int32Array.of(1), logprobs: Float32Array.of(-1), stopReason: "stop" as const },
    ];
    const bytes = encodeReply({ version: 0, samples });
    expect(() => decodeReply(bytes.slice(0, -4).buffer, 10)).toThrow(
      "samples: expected 8 bytes of tokens and log-probabilities, got 4",
    );
    expect(() => decodeReply(bytes.buffer, 1)).toThrow("token 1 is not in a vocabulary of 1");
  });
});
