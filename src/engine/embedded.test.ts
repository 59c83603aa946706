import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { byteTokenizer } from "../testing/byte-tokenizer.ts";
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
const create = () =>
  createEmbeddedTrainer({
    source: { model: createModel(config, { seed: 1 }) },
    tokenizer: byteTokenizer,
    threads: 1,
    slots: 8,
  });

trainerContract("embedded", create, { vocabularySize: 257 });

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
    await expect(load(directory)).rejects.toThrow("state.json: not JSON");
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
});
