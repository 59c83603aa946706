import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { embedded } from "../src/embedded.ts";
import { loadHuggingFace, saveHuggingFace } from "../src/engine/hugging-face.ts";
import type { ElementType } from "../src/engine/number-formats.ts";
import { createTraining } from "../src/engine/training.ts";
import { loadRenderer } from "../src/render/renderer.ts";

// The Python library `transformers` as a peer: it writes random models of every kind that the engine reads and says
// their log-probabilities, and loads what the engine saves. ATTUNE_PYTHON names an interpreter that has it.

const python = process.env["ATTUNE_PYTHON"] ?? "";
const script = join(import.meta.dirname, "peers/transformers_folder.py");

const skipped = (() => {
  if (python === "") return "ATTUNE_PYTHON names no Python";
  const probe = spawnSync(python, ["-c", "import torch, transformers, safetensors"], { encoding: "utf8" });
  if (probe.error) return `${python} is not here`;
  return probe.status === 0 ? null : `${python} has no torch, transformers or safetensors`;
})();
if (skipped) process.stderr.write(`huggingface-peers: skipped, ${skipped}\n`);

const scratch = () => mkdtempSync(join(tmpdir(), "attune-peers-"));
const ask = (...given: string[]) =>
  execFileSync(python, [script, ...given], {
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1", TRANSFORMERS_VERBOSITY: "error" },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 300_000,
  });
const request = (verb: string, given: unknown): unknown => {
  const file = join(scratch(), "request.json");
  writeFileSync(file, JSON.stringify(given));
  return JSON.parse(ask(verb, file));
};

type Figures = { sequences: number[][]; logprobs: Record<string, number[][]> };
type Answer = {
  worst: number;
  differing: string[];
  fields: string[];
  stored: string[];
  told: string;
  class: string;
  eos: unknown;
  missing: string[];
  unexpected: string[];
};

describe.skipIf(skipped)("transformers", { timeout: 300_000 }, () => {
  const folders = scratch();
  let figures: Figures;
  let cases: string[] = [];
  beforeAll(() => {
    ask("make", folders);
    figures = JSON.parse(readFileSync(join(folders, "figures.json"), "utf8")) as Figures;
    cases = Object.keys(figures.logprobs);
  }, 300_000);

  it("and the engine give the same log-probabilities to the same folder", async () => {
    const worst: Record<string, number> = {};
    for (const name of cases) {
      const training = createTraining(loadHuggingFace(join(folders, name)), { threads: 1 });
      const rows = figures.sequences.map((ids) => ({
        tokens: Int32Array.from(ids.slice(0, -1)),
        targets: Int32Array.from(ids.slice(1)),
        weights: new Float32Array(ids.length - 1).fill(1),
      }));
      const logprobs = await training.forward(rows);
      await training.close();
      const differences = figures.logprobs[name]!.flatMap((values, row) =>
        values.map((value, at) => Math.abs(value - logprobs[row]![at]!)),
      );
      worst[name] = Math.max(...differences);
    }
    for (const [name, difference] of Object.entries(worst)) expect(difference, name).toBeLessThan(1e-4);
    process.stderr.write(
      `huggingface-peers: ${cases.length} folders, worst ${Math.max(...Object.values(worst))}\n`,
    );
  });

  it("loads what the engine saves: f32 and shards as they are, 16 bits as torch rounds them", () => {
    const ways: { type: ElementType; shardBytes?: number }[] = [
      { type: "F32" },
      { type: "F32", shardBytes: 9000 },
      { type: "BF16" },
      { type: "F16", shardBytes: 20_000 },
    ];
    const out = scratch();
    const saved = cases.flatMap((name) =>
      ways.map((way, index) => {
        const folder = join(out, `${name}-${index}`);
        const generation = readFileSync(join(folders, name, "generation_config.json"), "utf8");
        saveHuggingFace(loadHuggingFace(join(folders, name)), folder, {
          ...way,
          extraFiles: { "generation_config.json": generation },
        });
        return { folder, like: join(folders, name), ...way };
      }),
    );
    const answers = request("check", saved) as Answer[];
    const stored = { F32: "torch.float32", F16: "torch.float16", BF16: "torch.bfloat16" };
    for (const [index, answer] of answers.entries()) {
      const { folder, type, like } = saved[index]!;
      const { architectures } = JSON.parse(readFileSync(join(like, "config.json"), "utf8")) as {
        architectures: string[];
      };
      expect(answer, folder).toMatchObject({
        differing: [],
        fields: [],
        stored: [stored[type]],
        told: stored[type],
        class: architectures[0],
        eos: [5, 6],
        missing: [],
        unexpected: [],
      });
      if (type === "F32") expect(answer.worst, folder).toBeLessThan(1e-5);
    }
  });

  it("loads a checkpoint of a run, weights, tokenizer and chat template", async () => {
    const { trainer, renderer } = await embedded({ model: "nano" }).create({
      seed: 1,
      tokenizerDirectory: join(scratch(), "tokenizer"),
      demonstrations: async () => [],
    });
    const folder = join(scratch(), "checkpoint");
    try {
      await trainer.save(folder);
    } finally {
      await trainer.close();
    }
    expect(readdirSync(folder)).toContain("tokenizer_config.json");
    const messages = [{ role: "user" as const, content: "Which tokens, é and 🙂?" }];
    const told = request("tokens", { folder, messages }) as { text: string; ids: number[] };
    const prompt = loadRenderer(folder).prompt(messages, []);
    expect(told.ids).toEqual([...prompt]);
    expect(told.text).toBe(renderer.tokenizer.decode(prompt));
    const [answer] = request("check", [{ folder, like: folder }]) as Answer[];
    expect(answer).toMatchObject({ class: "Qwen3ForCausalLM", missing: [], unexpected: [], worst: 0 });
  });
});
