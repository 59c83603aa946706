import { expect, it } from "vitest";
import { byteRenderer } from "./byte-tokenizer.ts";
import { scriptedPolicy } from "./scripted-policy.ts";

const prompt = byteRenderer.prompt([{ role: "user", content: "hello" }], []);
const params = { maxTokens: 100, temperature: 1, seed: 0 };

it("says what its script makes of the prompt, as often as asked, with a log-probability for every token", async () => {
  const policy = scriptedPolicy((text) => text.toUpperCase(), { renderer: byteRenderer });
  const samples = await policy.sample({ prompt, params, count: 3 });
  expect(samples).toHaveLength(3);
  for (const { tokens, logprobs, stopReason } of samples) {
    expect(byteRenderer.parse(tokens).message.content).toBe("USER:HELLO\nASSISTANT:");
    expect(logprobs).toHaveLength(tokens.length);
    expect(stopReason).toBe("stop");
  }
});

it("is cut at the most tokens it may say, and then has no stop token", async () => {
  const policy = scriptedPolicy(() => "four", { renderer: byteRenderer });
  const cut = async (maxTokens: number) =>
    (await policy.sample({ prompt, params: { ...params, maxTokens } })).map(({ tokens, stopReason }) => [
      tokens.length,
      stopReason,
    ]);
  expect(await cut(4)).toEqual([[4, "length"]]);
  expect(await cut(5)).toEqual([[5, "stop"]]);
});

it("stops waiting when it is aborted", async () => {
  const policy = scriptedPolicy(() => "late", { renderer: byteRenderer, latencyMs: 60_000 });
  const controller = new AbortController();
  const sampling = policy.sample({ prompt, params, signal: controller.signal });
  controller.abort();
  await expect(sampling).rejects.toThrow("abort");
});
