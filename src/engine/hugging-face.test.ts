import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AttuneError } from "../spec/error.ts";
import type { TrainRow } from "../spec/trainer.ts";
import { loadHuggingFace, saveHuggingFace } from "./hugging-face.ts";
import { writeSafetensors } from "./safetensors.ts";
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

describe.each(["llama", "llama-biases", "qwen2", "qwen3", "qwen3-yarn"])(
  "a %s folder written by transformers",
  (name) => {
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
  },
);

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
      'architectures: expected one of LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, got "GPT2LMHeadModel"',
    ],
    [
      "a mixture of experts",
      { architectures: ["Qwen3MoeForCausalLM"], num_experts: 8 },
      'got "Qwen3MoeForCausalLM"',
    ],
    ["experts in a known one", { num_experts: 8 }, "num_experts: expected none, since a mixture of experts"],
    [
      "images",
      { vision_config: { depth: 2 } },
      'vision_config: expected none, since images are not supported, got {"depth":2}',
    ],
    [
      "a type that is not its architecture's",
      { model_type: "mistral" },
      'model_type: expected "qwen3" for Qwen3ForCausalLM, got "mistral"',
    ],
    ["another activation", { hidden_act: "gelu" }, 'hidden_act: expected "silu", got "gelu"'],
    ["sliding windows", { use_sliding_window: true }, "use_sliding_window: expected false"],
    [
      "a layer that slides",
      { layer_types: ["full_attention", "sliding_attention"] },
      'layer_types: expected only "full_attention", got "sliding_attention"',
    ],
    ["biases that it has not", { attention_bias: true }, "8 of 32 tensors are missing"],
    [
      "biases that only Llama has",
      { mlp_bias: true },
      "mlp_bias: expected false for Qwen3ForCausalLM, got true",
    ],
    [
      "quantised weights",
      { quantization_config: { bits: 4 } },
      'quantization_config: expected none, since quantised weights are not supported, got {"bits":4}',
    ],
    [
      "half-rotated heads",
      { partial_rotary_factor: 0.5 },
      "partial_rotary_factor: expected heads that are rotated whole (1), got 0.5",
    ],
    [
      "rotary parameters by layer type",
      { rope_parameters: { full_attention: { rope_theta: 1e4 } } },
      "rope_parameters.full_attention: expected one rope for all layers",
    ],
    [
      "scaling without its factor",
      { rope_parameters: { rope_type: "linear" } },
      "rope_parameters.factor: expected a number for linear scaling, got undefined",
    ],
    [
      "bands that are the wrong way round",
      { rope_scaling: { rope_type: "llama3", factor: 2, low_freq_factor: 4, high_freq_factor: 4 } },
      "rope_scaling.high_freq_factor: expected a number above low_freq_factor 4, got 4",
    ],
    [
      "a yarn that is the wrong way round",
      { rope_scaling: { rope_type: "yarn", factor: 2, beta_fast: 1, beta_slow: 2 } },
      "rope_scaling.beta_fast: expected a number of beta_slow 2 or more, got 1",
    ],
    [
      "heads that do not divide",
      { num_key_value_heads: 3 },
      "num_key_value_heads: expected a divisor of the 4 attention heads, got 3",
    ],
    ["heads of odd size", { head_dim: 15 }, "head_dim: expected heads of an even size, got 15"],
    [
      "unknown rope scaling",
      { rope_parameters: { rope_type: "longrope", rope_theta: 1e4 } },
      'rope_parameters.rope_type: expected default, linear, llama3 or yarn, got "longrope"',
    ],
    ["a size that is no number", { hidden_size: "wide" }, "config.json: hidden_size"],
    ["layers without end", { num_hidden_layers: 1e9 }, "config.json: num_hidden_layers"],
    ["a context without end", { max_position_embeddings: 1e12 }, "config.json: max_position_embeddings"],
    ["tensors of another shape", { intermediate_size: 64 }, "expected shape [32,64], got [32,48]"],
    [
      "missing tensors",
      { num_hidden_layers: 3 },
      '11 of 35 tensors are missing, the first is "model.layers.2.input_layernorm.weight"',
    ],
    ["tensors too many", { num_hidden_layers: 1 }, "has no place in this architecture"],
  ])("with %s is refused by name", (_what, fields, message) => {
    const directory = copyOf("qwen3");
    edit(directory, (config) => Object.assign(config, fields));
    expect(() => loadHuggingFace(directory)).toThrow(message);
    try {
      loadHuggingFace(directory);
    } catch (error) {
      expect(error).toBeInstanceOf(AttuneError);
      expect((error as Error).message).toContain(directory);
      expect((error as Error).message).not.toContain("\n");
    }
  });

  it("with a truncated file says where it ends", () => {
    const directory = copyOf("qwen3");
    truncateSync(join(directory, "model.safetensors"), 5000);
    expect(() => loadHuggingFace(directory)).toThrow("truncated");
    truncateSync(join(directory, "model.safetensors"), 4);
    expect(() => loadHuggingFace(directory)).toThrow("expected a safetensors file, got 4 bytes");
  });

  it("without weights says what it has in their place", () => {
    const directory = copyOf("qwen3");
    rmSync(join(directory, "model.safetensors"));
    const refusal = `${directory}: expected model.safetensors or model.safetensors.index.json, found`;
    expect(() => loadHuggingFace(directory)).toThrow(`${refusal} neither`);
    writeFileSync(join(directory, "pytorch_model.bin"), "");
    expect(() => loadHuggingFace(directory)).toThrow(
      `${refusal} only pytorch_model.bin, which is not supported`,
    );
    expect(() => loadHuggingFace(scratch())).toThrow("config.json: expected JSON, got ENOENT");
    writeFileSync(join(directory, "config.json"), "{\n\n<html>");
    expect(() => loadHuggingFace(directory)).toThrow(/config\.json: expected JSON, got .*$/);
  });

  describe("and an index that is not right", () => {
    type WeightMap = Record<string, string>;
    const shard = (number: number) => `model-0000${number}-of-00005.safetensors`;
    const withIndex = (change: (map: WeightMap, directory: string) => unknown) => {
      const directory = copyOf("llama");
      const path = join(directory, "model.safetensors.index.json");
      const { weight_map } = JSON.parse(readFileSync(path, "utf8")) as { weight_map: WeightMap };
      const changed = change(weight_map, directory);
      writeFileSync(path, typeof changed === "string" ? changed : JSON.stringify({ weight_map: changed }));
      return directory;
    };
    const first = "model.embed_tokens.weight";

    it.each<[string, (map: WeightMap, directory: string) => unknown, string]>([
      [
        "which points outside",
        (map) => ({ ...map, [first]: "../../secret.safetensors" }),
        'weight_map: expected names of safetensors files beside it, got "../../secret.safetensors"',
      ],
      [
        "which points to another kind of file",
        (map) => ({ ...map, [first]: "config.json" }),
        'got "config.json"',
      ],
      ["which is not JSON", () => "{", "index.json: expected JSON"],
      ["which has no map", () => "{}", "weight_map: expected the file of each tensor by its name"],
      [
        "whose shard is missing",
        (map, directory) => {
          rmSync(join(directory, shard(3)));
          return map;
        },
        `index.json: expected "${shard(3)}" beside it, and it is missing`,
      ],
      [
        "which names a tensor that is nowhere",
        (map) => ({ ...map, "model.extra.weight": shard(1) }),
        `expected tensor "model.extra.weight" in "${shard(1)}", found it in no shard`,
      ],
      [
        "which names the wrong shard of a tensor",
        (map) => ({ ...map, [first]: shard(5) }),
        `expected tensor "${first}" in "${shard(5)}", found it in `,
      ],
      [
        "which leaves out a tensor",
        (map) => Object.fromEntries(Object.entries(map).filter(([name]) => name !== first)),
        `expected tensor "${first}" of `,
      ],
      [
        "beside a single file, one of which is old",
        (map, directory) => {
          cpSync(join(directory, shard(1)), join(directory, "model.safetensors"));
          return map;
        },
        "found both; remove the one that is out of date",
      ],
      [
        "and a tensor in two shards",
        (map, directory) => {
          cpSync(join(directory, shard(1)), join(directory, "again.safetensors"));
          return { ...map, more: "again.safetensors" };
        },
        "is in ",
      ],
    ])("%s, is refused", (_what, change, message) => {
      const directory = withIndex(change);
      expect(() => loadHuggingFace(directory)).toThrow(message);
      expect(() => loadHuggingFace(directory)).toThrow(directory);
    });
  });

  it("with weights that are not finite is refused, read or written", () => {
    const model = loadHuggingFace(join(fixtures, "qwen3"));
    const directory = copyOf("qwen3");
    const name = "model.layers.1.mlp.up_proj.weight";
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const tensors = new Map(model.parameters);
      const data = tensors.get(name)!.data.slice();
      data[7] = value;
      tensors.set(name, { shape: tensors.get(name)!.shape, data });
      writeSafetensors(join(directory, "model.safetensors"), tensors);
      expect(() => loadHuggingFace(directory)).toThrow(
        `model.safetensors: tensor "${name}": expected finite numbers, got ${value} at 7`,
      );
      const folder = join(scratch(), "out");
      expect(() => saveHuggingFace({ ...model, parameters: tensors }, folder)).toThrow(
        `tensor "${name}": ${value} at 7 is not finite in F32`,
      );
      expect(existsSync(folder) || existsSync(`${folder}.part`)).toBe(false);
    }
  });

  it("with a tied head of its own is refused, and one that is the embedding is not read twice", () => {
    const model = loadHuggingFace(join(fixtures, "qwen3"));
    const directory = copyOf("qwen3");
    const embedding = model.parameters.get("model.embed_tokens.weight")!;
    const write = (data: Float32Array) =>
      writeSafetensors(
        join(directory, "model.safetensors"),
        new Map([["lm_head.weight", { shape: embedding.shape, data }], ...model.parameters]),
      );
    write(embedding.data);
    expect(loadHuggingFace(directory)).toEqual(model);
    const other = embedding.data.slice();
    other[40] = 1;
    write(other);
    expect(() => loadHuggingFace(directory)).toThrow(
      /tensor "lm_head.weight": expected the values of model.embed_tokens.weight, .* got 1 for .* at 40$/,
    );
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
    for (const name of ["../out", "config.json", "model.safetensors", "model.safetensors.index.json"]) {
      const folder = join(scratch(), "out");
      expect(() => saveHuggingFace(model, folder, { extraFiles: { [name]: "" } })).toThrow(`got "${name}"`);
      expect(existsSync(folder) || existsSync(`${folder}.part`)).toBe(false);
    }
  });

  it("does not mix with what is there already", () => {
    const directory = copyOf("llama");
    const before = readdirSync(directory);
    expect(() => saveHuggingFace(loadHuggingFace(join(fixtures, "qwen2")), directory)).toThrow(
      "expected a name that is free",
    );
    expect(readdirSync(directory)).toEqual(before);
  });

  it("in shards has an index of every tensor, and comes back bit for bit", () => {
    const model = loadHuggingFace(join(fixtures, "qwen3"));
    const directory = scratch();
    saveHuggingFace(model, directory, { shardBytes: 20_000 });
    const shards = readdirSync(directory).filter((name) => name.endsWith(".safetensors"));
    expect(shards.length).toBeGreaterThan(4);
    for (const [number, name] of shards.entries())
      expect(name).toBe(`model-0000${number + 1}-of-0000${shards.length}.safetensors`);
    const index = JSON.parse(readFileSync(join(directory, "model.safetensors.index.json"), "utf8")) as {
      metadata: { total_size: number; total_parameters: number };
      weight_map: Record<string, string>;
    };
    const count = [...model.parameters.values()].reduce((total, { data }) => total + data.length, 0);
    expect(index.metadata).toEqual({ total_size: 4 * count, total_parameters: count });
    expect(Object.keys(index.weight_map)).toEqual([...model.parameters.keys()]);
    expect(loadHuggingFace(directory)).toEqual(model);
    expect(() => saveHuggingFace(model, scratch(), { shardBytes: 0 })).toThrow(
      "expected a number above 0, got 0",
    );
  });

  it("in 16 bits is rounded to the nearest once, and then stays as it is", () => {
    const model = loadHuggingFace(join(fixtures, "qwen3"));
    for (const type of ["BF16", "F16"] as const) {
      const [first, second] = [scratch(), scratch()];
      saveHuggingFace(model, first, { type });
      const rounded = loadHuggingFace(first);
      for (const [name, { data }] of rounded.parameters) {
        const exact = model.parameters.get(name)!.data;
        const step = type === "BF16" ? 2 ** -8 : 2 ** -11;
        expect(
          data.every((value, at) => Math.abs(value - exact[at]!) <= step * Math.abs(exact[at]!) + 2 ** -25),
        ).toBe(true);
      }
      saveHuggingFace(rounded, second, { type });
      expect(readFileSync(join(second, "model.safetensors"))).toEqual(
        readFileSync(join(first, "model.safetensors")),
      );
      expect(JSON.parse(readFileSync(join(first, "config.json"), "utf8"))).toMatchObject({
        torch_dtype: type === "BF16" ? "bfloat16" : "float16",
      });
    }
  });

  it("in 16 bits is refused where a weight would become infinite", () => {
    const model = loadHuggingFace(join(fixtures, "qwen3"));
    model.parameters.get("model.norm.weight")!.data[3] = 70000;
    expect(() => saveHuggingFace(model, scratch(), { type: "F16" })).toThrow(
      'tensor "model.norm.weight": 70000 at 3 is not finite in F16',
    );
    saveHuggingFace(model, scratch(), { type: "BF16" });
  });

  it("has bytes of bfloat16 that were read, as they were", () => {
    const directory = scratch();
    saveHuggingFace(loadHuggingFace(join(fixtures, "qwen2")), directory, { type: "BF16" });
    const stored = (folder: string, name: string) => {
      const bytes = readFileSync(join(folder, "model.safetensors"));
      const start = 8 + Number(bytes.readBigUInt64LE());
      const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<
        string,
        { data_offsets: [number, number] }
      >;
      const [from, to] = header[name]!.data_offsets;
      return bytes.subarray(start + from, start + to);
    };
    for (const name of loadHuggingFace(directory).parameters.keys())
      expect(stored(directory, name)).toEqual(stored(join(fixtures, "qwen2"), name));
  });

  it("is refused for a shape that no architecture has", () => {
    const { config, parameters } = loadHuggingFace(join(fixtures, "qwen2"));
    const both = { config: { ...config, queryKeyNorm: true }, parameters };
    expect(() => saveHuggingFace(both, scratch())).toThrow(
      "no architecture has queryKeyNorm true, attentionBias true, outputBias false",
    );
  });
});
