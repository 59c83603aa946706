import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import { type Model, type ModelConfig, type Parameters, parameterShapes, type RopeScaling } from "./model.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().optional(),
  high_freq_factor: z.number().optional(),
  original_max_position_embeddings: z.number().int().positive().optional(),
});

const positive = z.number().int().positive();
const configSchema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  vocab_size: positive,
  hidden_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.optional(),
  head_dim: positive.nullish(),
  intermediate_size: positive,
  max_position_embeddings: positive,
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().optional(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().optional(),
  mlp_bias: z.boolean().optional(),
  hidden_act: z.string().default("silu"),
  use_sliding_window: z.boolean().optional(),
});

const architectures = ["LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"];

/** Loads a Hugging Face folder: config.json and safetensors, sharded or not. Refuses by name what it does not know. */
export function loadHuggingFace(directory: string): Model {
  const config = readConfig(directory);
  const shapes = parameterShapes(config);
  const parameters: Parameters = new Map();
  for (const file of weightFiles(directory)) {
    for (const [name, { shape, data }] of readSafetensors(join(directory, file))) {
      const expected = shapes.get(name);
      if (!expected) {
        // a tied head that is stored all the same, and tables of older exports
        if ((name === "lm_head.weight" && config.tiedEmbeddings) || name.endsWith("rotary_emb.inv_freq"))
          continue;
        throw new AttuneError(
          "input",
          `${join(directory, file)}: tensor "${name}" has no place in this architecture`,
        );
      }
      if (shape.join() !== expected.join()) {
        throw new AttuneError(
          "input",
          `${join(directory, file)}: tensor "${name}": expected shape [${expected}], got [${shape}]`,
        );
      }
      parameters.set(name, { shape: expected, data });
    }
  }
  const missing = [...shapes.keys()].filter((name) => !parameters.has(name));
  if (missing.length > 0) {
    throw new AttuneError(
      "input",
      `${directory}: ${missing.length} tensors are missing, the first is "${missing[0]}"`,
    );
  }
  // the order of the architecture, whatever the order of the files
  return { config, parameters: new Map([...shapes.keys()].map((name) => [name, parameters.get(name)!])) };
}

/** Writes config.json and model.safetensors as `transformers` reads them. */
export function saveHuggingFace({ config, parameters }: Model, directory: string): void {
  writeFileAtomic(
    join(directory, "config.json"),
    `${JSON.stringify(toHuggingFaceConfig(config), null, 2)}\n`,
  );
  writeSafetensors(join(directory, "model.safetensors"), parameters);
}

function readConfig(directory: string): ModelConfig {
  const path = join(directory, "config.json");
  const refuse = (message: string): never => {
    throw new AttuneError("input", `${path}: ${message}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return refuse(`expected a model's config, got ${(error as Error).message}`);
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return refuse(`${issue.path.join(".")}: ${issue.message}`);
  }
  const raw = parsed.data;
  const architecture = raw.architectures[0]!;
  if (!architectures.includes(architecture))
    refuse(`expected one of ${architectures.join(", ")}, got ${architecture}`);
  if (raw.hidden_act !== "silu") refuse(`expected the activation silu, got ${raw.hidden_act}`);
  if (raw.use_sliding_window) refuse("sliding-window attention is not supported");
  if (raw.mlp_bias) refuse("biases in the feed-forward layers are not supported");
  const isQwen2 = architecture === "Qwen2ForCausalLM";
  if (raw.attention_bias && !isQwen2) refuse("attention_bias is only supported for Qwen2");
  const rope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  return {
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    keyValueHeads: raw.num_key_value_heads ?? raw.num_attention_heads,
    headSize: raw.head_dim ?? raw.hidden_size / raw.num_attention_heads,
    feedForwardSize: raw.intermediate_size,
    contextLength: raw.max_position_embeddings,
    ropeTheta: rope.rope_theta ?? raw.rope_theta ?? 10000,
    ropeScaling: toRopeScaling(rope, refuse),
    normEpsilon: raw.rms_norm_eps,
    queryKeyNorm: architecture === "Qwen3ForCausalLM",
    attentionBias: isQwen2,
    tiedEmbeddings: raw.tie_word_embeddings,
  };
}

function toRopeScaling(
  rope: z.infer<typeof ropeSchema>,
  refuse: (message: string) => never,
): RopeScaling | null {
  const type = rope.rope_type ?? rope.type ?? "default";
  const need = (
    field: "factor" | "low_freq_factor" | "high_freq_factor" | "original_max_position_embeddings",
  ) => rope[field] ?? refuse(`rope scaling "${type}" needs ${field}`);
  if (type === "default") return null;
  if (type === "linear") return { type: "linear", factor: need("factor") };
  if (type === "llama3") {
    return {
      type: "llama3",
      factor: need("factor"),
      lowFrequencyFactor: need("low_freq_factor"),
      highFrequencyFactor: need("high_freq_factor"),
      originalContextLength: need("original_max_position_embeddings"),
    };
  }
  return refuse(`expected rope scaling of type default, linear or llama3, got "${type}"`);
}

function weightFiles(directory: string): string[] {
  if (existsSync(join(directory, "model.safetensors"))) return ["model.safetensors"];
  const index = join(directory, "model.safetensors.index.json");
  if (!existsSync(index)) {
    throw new AttuneError(
      "input",
      `${directory}: expected model.safetensors or model.safetensors.index.json, found neither`,
    );
  }
  const parsed = z
    .looseObject({ weight_map: z.record(z.string(), z.string()) })
    .safeParse(JSON.parse(readFileSync(index, "utf8")));
  if (!parsed.success) throw new AttuneError("input", `${index}: expected a weight_map of file names`);
  const files = [...new Set(Object.values(parsed.data.weight_map))].sort();
  const outside = files.find((file) => /[\\/]/.test(file));
  if (outside)
    throw new AttuneError("input", `${index}: expected names of files beside it, got "${outside}"`);
  return files;
}

function toHuggingFaceConfig(config: ModelConfig): object {
  const architecture = config.queryKeyNorm ? "Qwen3" : config.attentionBias ? "Qwen2" : "Llama";
  const { ropeScaling } = config;
  const scaling =
    ropeScaling === null
      ? null
      : ropeScaling.type === "linear"
        ? { rope_type: "linear", factor: ropeScaling.factor }
        : {
            rope_type: "llama3",
            factor: ropeScaling.factor,
            low_freq_factor: ropeScaling.lowFrequencyFactor,
            high_freq_factor: ropeScaling.highFrequencyFactor,
            original_max_position_embeddings: ropeScaling.originalContextLength,
          };
  return {
    architectures: [`${architecture}ForCausalLM`],
    model_type: architecture.toLowerCase(),
    vocab_size: config.vocabularySize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headSize,
    intermediate_size: config.feedForwardSize,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    rope_scaling: scaling,
    tie_word_embeddings: config.tiedEmbeddings,
    attention_bias: config.attentionBias,
    hidden_act: "silu",
    use_sliding_window: false,
    torch_dtype: "float32",
  };
}
