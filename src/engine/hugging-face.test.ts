import { cpSync, mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TrainRow } from "../spec/trainer.ts";
import { loadHuggingFace, saveHuggingFace } from "./hugging-face.ts";
import { createSampler } from "./sampler.ts";
import { createTraining } from "./training.ts";

type Figures = {
  sequences: number[][];
  logprobs: number[][];
  loss: number;
  gradientNorms: Record<string, number>;
  gradientSamples: Record<string, number[]>;
};

const fixtures = join(import.meta.dirname, "fixtures");
const figures = JSON.parse(readFileSync(join(fixtures, "figures.json"), "utf8")) as Record<string, Figures>;
const scratch = () => mkdtempSync(join(tmpdir(), "attune-hf-"));
const copyOf = (name: string) => {
  const directory = scratch();
  cpSync(join(fixtures, name), directory, { recursive: true });
  return directory;
};

const toRow = (ids: readonly number[]): TrainRow => ({
  tokens: Int32Array.from(ids.slice(0, -1)),
  targets: Int32Array.from(ids.slice(1)),
  weights: new Float32Array(ids.length - 1).fill(1),
});

describe.each(["llama", "qwen2", "qwen3"])("a %s folder written by transformers", (name) => {
  const expected = figures[name]!;

  it("has the log-probabilities, loss and gradients of PyTorch", async () => {
    const training = createTraining(loadHuggingFace(join(fixtures, name)), { threads: 1 });
    const { loss, logprobs } = await training.forwardBackward(expected.sequences.map(toRow), {
      name: "cross_entropy",
    });
    for (const [row, values] of expected.logprobs.entries()) {
      for (const [index, value] of values.entries())
        expect(Math.abs(logprobs[row]![index]! - value)).toBeLessThan(1e-4);
    }
    expect(loss).toBeCloseTo(expected.loss, 2);
    for (const [parameter, gradient] of training.gradient()) {
      const norm = Math.hypot(...gradient);
      expect(
        Math.abs(norm - expected.gradientNorms[parameter]!) / expected.gradientNorms[parameter]!,
        parameter,
      ).toBeLessThan(1e-4);
      const stride = Math.max(1, Math.floor(gradient.length / 5));
      for (const [index, value] of expected.gradientSamples[parameter]!.entries()) {
        expect(Math.abs(gradient[index * stride]! - value)).toBeLessThan(1e-4 * Math.max(1, norm));
      }
    }
    await training.close();
  });

  it("is sampled with the log-probabilities of PyTorch", async () => {
    const sampler = await createSampler(loadHuggingFace(join(fixtures, name)), {
      threads: 1,
      slots: 4,
      cacheBytes: 1e7,
    });
    const [ids, values] = [expected.sequences[2]!, expected.logprobs[2]!];
    // greedy from the sampler, and the figure of the token that followed, wherever the two agree
    for (let length = 4; length < ids.length - 1; length++) {
      const [sample] = await Promise.all(
        sampler.sample([
          {
            prompt: Int32Array.from(ids.slice(0, length)),
            stream: 0,
            params: { maxTokens: 1, temperature: 0, seed: 0 },
          },
        ]),
      );
      if (sample!.tokens[0] === ids[length])
        expect(Math.abs(sample!.logprobs[0]! - values[length - 1]!)).toBeLessThan(1e-4);
      else expect(sample!.logprobs[0]!).toBeGreaterThan(values[length - 1]! - 1e-4);
    }
    await sampler.close();
  });

  it("comes back bit for bit after saving and loading", () => {
    const model = loadHuggingFace(join(fixtures, name));
    const directory = scratch();
    saveHuggingFace(model, directory);
    const again = loadHuggingFace(directory);
    expect(again.config).toEqual(model.config);
    for (const [parameter, { data }] of model.parameters)
      expect(again.parameters.get(parameter)!.data).toEqual(data);
  });
});

describe("a folder that is not right", () => {
  const edit = (directory: string, change: (config: Record<string, unknown>) => void) => {
    const path = join(directory, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    change(config);
    writeFileSync(path, JSON.stringify(config));
  };

  it.each([
    [
      "another architecture",
      { architectures: ["GPT2LMHeadModel"] },
      "expected one of LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, got GPT2LMHeadModel",
    ],
    ["another activation", { hidden_act: "gelu" }, "expected the activation silu, got gelu"],
    ["sliding windows", { use_sliding_window: true }, "sliding-window attention is not supported"],
    [
      "a layer that slides",
      { layer_types: ["full_attention", "sliding_attention"] },
      "expected layers of full_attention, got sliding_attention",
    ],
    ["a bias that only Qwen2 has", { attention_bias: true }, "attention_bias is only supported for Qwen2"],
    ["quantized weights", { quantization_config: { bits: 4 } }, "quantized weights are not supported"],
    ["half-rotated heads", { partial_rotary_factor: 0.5 }, "partial_rotary_factor"],
    [
      "rotary parameters by layer type",
      { rope_parameters: { full_attention: { rope_theta: 1e4 } } },
      'each kind of layer ("full_attention")',
    ],
    ["scaling without its factor", { rope_parameters: { rope_type: "linear" } }, '"linear" needs factor'],
    ["heads that do not divide", { num_key_value_heads: 3 }, "4 attention heads cannot share 3"],
    ["heads of odd size", { head_dim: 15 }, "expected heads of an even size, got 15"],
    ["unknown rope scaling", { rope_parameters: { rope_type: "yarn", rope_theta: 1e4 } }, 'got "yarn"'],
    ["a size that is no number", { hidden_size: "wide" }, "config.json: hidden_size"],
    ["tensors of another shape", { intermediate_size: 64 }, "expected shape [32,64], got [32,48]"],
    ["missing tensors", { num_hidden_layers: 3 }, 'the first is "model.layers.2.input_layernorm.weight"'],
    ["tensors too many", { num_hidden_layers: 1 }, "has no place in this architecture"],
  ])("with %s is refused by name", (_what, fields, message) => {
    const directory = copyOf("qwen3");
    edit(directory, (config) => Object.assign(config, fields));
    expect(() => loadHuggingFace(directory)).toThrow(message);
  });

  it("with a truncated file says where it ends", () => {
    const directory = copyOf("qwen3");
    truncateSync(join(directory, "model.safetensors"), 5000);
    expect(() => loadHuggingFace(directory)).toThrow("truncated");
    truncateSync(join(directory, "model.safetensors"), 4);
    expect(() => loadHuggingFace(directory)).toThrow("expected a safetensors file, got 4 bytes");
  });

  it("without weights, or with an index that points outside, is refused", () => {
    const directory = copyOf("llama");
    writeFileSync(
      join(directory, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: "../../secret" } }),
    );
    expect(() => loadHuggingFace(directory)).toThrow('expected names of files beside it, got "../../secret"');
    expect(() => loadHuggingFace(scratch())).toThrow("config.json");
  });

  it("with a tensor in two files, or an index that is not JSON, is refused", () => {
    const directory = copyOf("llama");
    const index = join(directory, "model.safetensors.index.json");
    const first = "model-00001-of-00005.safetensors";
    cpSync(join(directory, first), join(directory, "again.safetensors"));
    const { weight_map } = JSON.parse(readFileSync(index, "utf8")) as { weight_map: Record<string, string> };
    writeFileSync(index, JSON.stringify({ weight_map: { ...weight_map, more: "again.safetensors" } }));
    expect(() => loadHuggingFace(directory)).toThrow("is in another file too");
    writeFileSync(index, "{");
    expect(() => loadHuggingFace(directory)).toThrow("index.json: expected JSON");
  });
});

describe("a folder of another age", () => {
  const rewrite = (name: string, change: (config: Record<string, unknown>) => Record<string, unknown>) => {
    const directory = copyOf(name);
    const path = join(directory, "config.json");
    writeFileSync(
      path,
      JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)),
    );
    return loadHuggingFace(directory).config;
  };

  it("may keep rope_theta beside rope_scaling, and call the type of scaling `type`", () => {
    const expected = loadHuggingFace(join(fixtures, "llama")).config;
    const config = rewrite("llama", ({ rope_parameters, ...rest }) => {
      const { rope_theta, rope_type, ...scaling } = rope_parameters as Record<string, unknown>;
      return { ...rest, rope_theta, rope_scaling: { ...scaling, type: rope_type } };
    });
    expect(config).toEqual(expected);
    expect(config.ropeTheta).toBe(5000);
    const linear = rewrite("llama", (written) => ({
      ...written,
      rope_parameters: undefined,
      rope_scaling: { type: "linear", factor: 2 },
    }));
    expect(linear).toMatchObject({ ropeTheta: 10000, ropeScaling: { type: "linear", factor: 2 } });
  });

  it("may leave out what follows from the rest", () => {
    const expected = loadHuggingFace(join(fixtures, "llama")).config;
    expect(rewrite("llama", (written) => ({ ...written, head_dim: undefined }))).toEqual(expected);
  });
});

describe("a folder that is written", () => {
  it("has the files it is given beside the model", () => {
    const directory = scratch();
    const model = loadHuggingFace(join(fixtures, "qwen2"));
    saveHuggingFace(model, directory, { extraFiles: { "tokenizer.json": "{}" } });
    expect(readdirSync(directory).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    for (const name of ["../out", "config.json", "model.safetensors"])
      expect(() => saveHuggingFace(model, directory, { extraFiles: { [name]: "" } })).toThrow(
        `got "${name}"`,
      );
  });

  it("is refused for a shape that no architecture has", () => {
    const { config, parameters } = loadHuggingFace(join(fixtures, "qwen2"));
    const both = { config: { ...config, queryKeyNorm: true }, parameters };
    expect(() => saveHuggingFace(both, scratch())).toThrow("both queryKeyNorm and attentionBias");
  });
});
