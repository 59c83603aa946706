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
  partial_rotary_factor: z.number().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
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
  layer_types: z.array(z.string()).nullish(),
  partial_rotary_factor: z.number().optional(),
  quantization_config: z.unknown().optional(),
});

const architectures = ["LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"];

/** Heads of Qwen3 where its config does not say: their width is not that of the hidden state divided. */
const qwen3HeadSize = 128;

/** Loads a Hugging Face folder: config.json and safetensors, sharded or not. Refuses by name what it does not know. */
export function loadHuggingFace(directory: string): Model {
  const config = readConfig(directory);
  const shapes = parameterShapes(config);
  const parameters: Parameters = new Map();
  for (const file of weightFiles(directory)) {
    const refuse = (message: string): never => {
      throw new AttuneError("input", `${join(directory, file)}: ${message}`);
    };
    for (const [name, { shape, data }] of readSafetensors(join(directory, file))) {
      // a tied head that is stored all the same, and tables of older exports
      if (name === "lm_head.weight" && config.tiedEmbeddings) continue;
      if (name.endsWith("rotary_emb.inv_freq")) continue;
      const expected = shapes.get(name) ?? refuse(`tensor "${name}" has no place in this architecture`);
      if (shape.join() !== expected.join())
        refuse(`tensor "${name}": expected shape [${expected.join()}], got [${shape.join()}]`);
      if (parameters.has(name)) refuse(`tensor "${name}" is in another file too`);
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

/**
 * Writes config.json and model.safetensors as `transformers` reads them, and further files by name (tokenizer, chat
 * template, generation defaults). The config comes last, so that a folder with one is complete.
 */
export function saveHuggingFace(
  { config, parameters }: Model,
  directory: string,
  { extraFiles = {} }: { extraFiles?: Readonly<Record<string, string>> } = {},
): void {
  const json = JSON.stringify(toHuggingFaceConfig(config), null, 2);
  for (const name of Object.keys(extraFiles)) {
    if (/[\\/]/.test(name) || name === "config.json" || name.endsWith(".safetensors"))
      throw new AttuneError("usage", `extraFiles: expected the name of a further file, got "${name}"`);
  }
  writeSafetensors(join(directory, "model.safetensors"), parameters);
  for (const [name, content] of Object.entries(extraFiles)) writeFileAtomic(join(directory, name), content);
  writeFileAtomic(join(directory, "config.json"), `${json}\n`);
}

function readConfig(directory: string): ModelConfig {
  const path = join(directory, "config.json");
  const refuse = (message: string): never => {
    throw new AttuneError("input", `${path}: ${message}`);
  };
  const parsed = configSchema.safeParse(readJson(path, refuse));
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
  const layerType = raw.layer_types?.find((type) => type !== "full_attention");
  if (layerType !== undefined) refuse(`expected layers of full_attention, got ${layerType}`);
  if (raw.mlp_bias) refuse("biases in the feed-forward layers are not supported");
  if (raw.quantization_config) refuse("quantized weights are not supported");
  const isQwen2 = architecture === "Qwen2ForCausalLM";
  const isQwen3 = architecture === "Qwen3ForCausalLM";
  if (raw.attention_bias && !isQwen2) refuse("attention_bias is only supported for Qwen2");
  const rope = raw.rope_parameters ?? raw.rope_scaling ?? {};
  const nested = Object.entries(rope).find(([, value]) => typeof value === "object" && value !== null);
  if (nested) refuse(`rope parameters for each kind of layer ("${nested[0]}") are not supported`);
  if ((rope.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1) !== 1)
    refuse("rotating a part of each head (partial_rotary_factor) is not supported");

  const heads = raw.num_attention_heads;
  const keyValueHeads = raw.num_key_value_heads ?? heads;
  const headSize = raw.head_dim ?? (isQwen3 ? qwen3HeadSize : raw.hidden_size / heads);
  if (heads % keyValueHeads !== 0)
    refuse(`${heads} attention heads cannot share ${keyValueHeads} key-value heads equally`);
  if (!Number.isInteger(headSize) || headSize % 2 !== 0)
    refuse(`expected heads of an even size, got ${headSize}`);
  return {
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    layers: raw.num_hidden_layers,
    heads,
    keyValueHeads,
    headSize,
    feedForwardSize: raw.intermediate_size,
    contextLength: raw.max_position_embeddings,
    ropeTheta: rope.rope_theta ?? raw.rope_theta ?? 10000,
    ropeScaling: toRopeScaling(rope, refuse),
    normEpsilon: raw.rms_norm_eps,
    queryKeyNorm: isQwen3,
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
  const refuse = (message: string): never => {
    throw new AttuneError("input", `${index}: ${message}`);
  };
  const parsed = indexSchema.safeParse(readJson(index, refuse));
  if (!parsed.success) return refuse("expected a weight_map of file names");
  const files = [...new Set(Object.values(parsed.data.weight_map))].sort();
  const outside = files.find((file) => /[\\/]/.test(file));
  if (outside !== undefined) refuse(`expected names of files beside it, got "${outside}"`);
  return files;
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

function readJson(path: string, refuse: (message: string) => never): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return refuse(`expected JSON, got ${(error as Error).message}`);
  }
}

function toHuggingFaceConfig(config: ModelConfig): object {
  if (config.queryKeyNorm && config.attentionBias) {
    throw new AttuneError("usage", "model config: no architecture has both queryKeyNorm and attentionBias");
  }
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
    // the library's own defaults would be ids of another tokenizer
    bos_token_id: null,
    eos_token_id: null,
    use_sliding_window: false,
    torch_dtype: "float32",
  };
}
