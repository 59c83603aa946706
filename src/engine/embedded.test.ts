import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { byteTokenizer } from "../testing/byte-tokenizer.ts";
import { policyContract } from "../testing/policy-contract.ts";
import { trainerContract } from "../testing/trainer-contract.ts";
import { createEmbeddedTrainer } from "./embedded.ts";
import { createModel, modelPresets } from "./model.ts";

const config = {
  ...modelPresets.nano,
  vocabularySize: 257,
  hiddenSize: 32,
  heads: 2,
  headSize: 16,
  keyValueHeads: 1,
  feedForwardSize: 48,
  layers: 2,
  contextLength: 64,
};
const create = ({ seed = 1, ...options }: { seed?: number; extraFiles?: Record<string, string> } = {}) =>
  createEmbeddedTrainer({
    source: { model: createModel(config, { seed, deviation: 0.2 }) },
    tokenizer: byteTokenizer,
    threads: 1,
    slots: 8,
    ...options,
  });

trainerContract("the embedded trainer", { create });

policyContract("an embedded policy", {
  async create() {
    const trainer = await create();
    const policy = await trainer.policy();
    return {
      ...policy,
      async close() {
        await policy.close();
        await trainer.close();
      },
    };
  },
});

describe("the embedded trainer", () => {
  const saved = async () => {
    const directory = join(mkdtempSync(join(tmpdir(), "attune-embedded-")), "checkpoint");
    const trainer = await create();
    await trainer.save(directory);
    await trainer.close();
    return directory;
  };
  const load = async (directory: string) => {
    const trainer = await create();
    try {
      await trainer.load(directory);
    } finally {
      await trainer.close();
    }
  };

  it("finds every way in which a checkpoint can be broken, and names the file", async () => {
    const directory = await saved();
    await load(directory);
    const weights = join(directory, "model.safetensors");
    const content = readFileSync(weights);
    const flipped = Buffer.from(content);
    flipped[content.length - 1]! ^= 1;
    writeFileSync(weights, flipped);
    await expect(load(directory)).rejects.toThrow(
      "model.safetensors: its checksum is not the one that was saved",
    );
    appendFileSync(weights, "x");
    await expect(load(directory)).rejects.toThrow(/model.safetensors: expected \d+ bytes, got \d+/);
    rmSync(weights);
    await expect(load(directory)).rejects.toThrow("model.safetensors: missing from the checkpoint");
    const state = join(directory, "state.json");
    writeFileSync(state, readFileSync(state, "utf8").replace('"format": 1', '"format": 2'));
    await expect(load(directory)).rejects.toThrow("state.json: format");
    writeFileSync(state, "{");
    await expect(load(directory)).rejects.toThrow("state.json: expected JSON");
  });

  it("does not overwrite a checkpoint", async () => {
    const directory = await saved();
    const trainer = await create();
    await expect(trainer.save(directory)).rejects.toThrow("expected a name that is free");
    await trainer.close();
  });

  it("refuses a tokenizer larger than the model, and a directory that is not there, without leaving a thread", async () => {
    const model = createModel({ ...config, vocabularySize: 100 }, { seed: 1 });
    await expect(createEmbeddedTrainer({ source: { model }, tokenizer: byteTokenizer })).rejects.toThrow(
      "tokenizer has 257 tokens, and the model's vocabulary 100",
    );
    await expect(
      createEmbeddedTrainer({ source: { directory: "/nowhere" }, tokenizer: byteTokenizer }),
    ).rejects.toThrow("/nowhere/config.json");
  });

  it("leaves the event loop free while it works", async () => {
    const trainer = await create();
    const policy = await trainer.policy();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await policy.sample({
      prompt: byteTokenizer.encode("hello"),
      params: { maxTokens: 58, temperature: 1, seed: 1 },
      count: 8,
    });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    await trainer.close();
  });

  it("starts from a checkpoint where it was left, tokenizer and all", async () => {
    const directory = join(mkdtempSync(join(tmpdir(), "attune-embedded-")), "checkpoint");
    const row = { tokens: Int32Array.of(1, 2), targets: Int32Array.of(2, 3), weights: Float32Array.of(1, 1) };
    const adamw = {
      kind: "adamw",
      learningRate: 0.01,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0,
      gradientClip: 0,
    } as const;
    const first = await create({ extraFiles: { "tokenizer.json": "{}" } });
    await first.forwardBackward([row], { name: "cross_entropy" });
    await first.optimStep(adamw);
    await first.save(directory);
    const expected = await first.forwardBackward([row], { name: "cross_entropy" });
    await first.close();
    expect(readFileSync(join(directory, "tokenizer.json"), "utf8")).toBe("{}");

    const second = await createEmbeddedTrainer({
      source: { directory },
      tokenizer: byteTokenizer,
      name: "agent",
      threads: 1,
    });
    expect(second.config).toEqual(config);
    const policy = await second.policy();
    expect(policy).toMatchObject({ name: "agent@1", version: 1, contextLength: 64 });
    expect(await second.forwardBackward([row], { name: "cross_entropy" })).toEqual(expected);
    await second.close();
  });

  it("refuses a checkpoint of another shape and keeps its own weights", async () => {
    const directory = await saved();
    const trainer = await createEmbeddedTrainer({
      source: { model: createModel({ ...config, layers: 1 }, { seed: 1 }) },
      tokenizer: byteTokenizer,
      threads: 1,
    });
    const row = { tokens: Int32Array.of(1), targets: Int32Array.of(2), weights: Float32Array.of(1) };
    const before = await trainer.forwardBackward([row], { name: "cross_entropy" });
    await expect(trainer.load(directory)).rejects.toThrow("expected layers 1, got 2");
    expect(await trainer.forwardBackward([row], { name: "cross_entropy" })).toEqual(before);
    await trainer.close();
  });

  it("counts what it trained and sampled, also by policies that are gone", async () => {
    const trainer = await create();
    const policy = await trainer.policy();
    const prompt = byteTokenizer.encode("hello");
    await policy.sample({ prompt, params: { maxTokens: 4, temperature: 1, seed: 1 }, count: 3 });
    await policy.close();
    const row = { tokens: prompt, targets: prompt, weights: new Float32Array(5).fill(1) };
    await trainer.forwardBackward([row, row], { name: "cross_entropy" });
    // five positions of a prompt run once, and three of four sampled tokens in each row
    expect(await trainer.statistics()).toEqual({
      tokensTrained: 10,
      tokensSampled: 12,
      positionsComputed: 5 + 3 * 3,
    });
    await trainer.close();
  });

  it("stops a long training call when asked to, without a gradient left behind", async () => {
    const trainer = await create();
    const tokens = new Int32Array(64).fill(1);
    const rows = Array.from({ length: 3000 }, () => ({
      tokens,
      targets: tokens,
      weights: new Float32Array(64).fill(1),
    }));
    const controller = new AbortController();
    const reason = new Error("enough");
    const call = trainer.forwardBackward(rows, { name: "cross_entropy" }, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(call).rejects.toBe(reason);
    const { gradientNorm } = await trainer.optimStep({
      kind: "adamw",
      learningRate: 0,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0,
      gradientClip: 0,
    });
    expect(gradientNorm).toBe(0);
    await trainer.close();
  });

  it("refuses everything that waits when it is closed", async () => {
    const trainer = await create();
    const policy = await trainer.policy();
    const sample = policy.sample({
      prompt: byteTokenizer.encode("hello"),
      params: { maxTokens: 59, temperature: 1, seed: 1 },
      count: 40,
    });
    const refused = expect(sample).rejects.toThrow(/closed/);
    await trainer.close();
    await refused;
    await policy.close();
  });
});
