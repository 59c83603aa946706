import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AttuneError } from "../spec/error.ts";
import { fromRopeScaling, type RefuseField, ropeSchema, toRopeScaling } from "./hugging-face-rope.ts";
import type { ModelConfig } from "./model.ts";
import type { ElementType } from "./number-formats.ts";
import { shown } from "./shown.ts";

// largest sizes: far above any model there is, and small enough that a config that lies costs no memory
const size = z
  .number()
  .int()
  .positive()
  .max(2 ** 24);
const flag = z.boolean().nullish();
const configSchema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  model_type: z.string().nullish(),
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: z.number().int().positive().max(1000),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  intermediate_size: size,
  max_position_embeddings: z
    .number()
    .int()
    .positive()
    .max(2 ** 21),
  original_max_position_embeddings: z.number().int().positive().nullish(),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: z.number().nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: flag,
  mlp_bias: flag,
  hidden_act: z.string().default("silu"),
  use_sliding_window: flag,
  layer_types: z.array(z.string()).nullish(),
});

type RawConfig = z.infer<typeof configSchema>;

/** Architecture by what `model_type` calls it. */
const families = { llama: "LlamaForCausalLM", qwen2: "Qwen2ForCausalLM", qwen3: "Qwen3ForCausalLM" } as const;
type Family = keyof typeof families;

/** Heads of Qwen3 where its config does not say: their width is not that of the hidden state divided. */
const qwen3HeadSize = 128;
/** Key-value heads of Qwen2 and Qwen3 where the config has no such field. */
const qwenKeyValueHeads = 32;

/** Fields that speak of a computation that the engine does not have, unless they are absent, null, false or 0. */
const unsupported = {
  quantization_config: "quantised weights are not supported",
  compression_config: "quantised weights are not supported",
  num_experts: "a mixture of experts is not supported",
  num_local_experts: "a mixture of experts is not supported",
  vision_config: "images are not supported",
  audio_config: "sound is not supported",
} as const;

/** Reads a folder's config.json. Refuses what the engine does not compute: file, field, what was expected and got. */
export function readConfig(directory: string): ModelConfig {
  const path = join(directory, "config.json");
  const refuse: RefuseField = (field, expected, got) => {
    throw new AttuneError("input", `${path}: ${field}: expected ${expected}, got ${shown(got)}`);
  };
  const json = readJson(path);
  refuseOthers(json, refuse);
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new AttuneError("input", `${path}: ${issue.path.join(".")}: ${shown(issue.message, "")}`);
  }
  const raw = parsed.data;
  const family = familyOf(raw, refuse);
  return { ...shapeOf(raw, family, refuse), ...ropeOf(raw, refuse), ...biasesOf(raw, family, refuse) };
}

/** What another kind of model says about itself, before it is asked for fields that it may not have. */
function refuseOthers(json: unknown, refuse: RefuseField): void {
  if (typeof json !== "object" || json === null) return;
  const { architectures } = json as { architectures?: unknown };
  if (Array.isArray(architectures) && architectures.length > 0) {
    const known: readonly unknown[] = Object.values(families);
    if (!known.includes(architectures[0]))
      refuse("architectures", `one of ${known.join(", ")}`, architectures[0]);
  }
  for (const [field, what] of Object.entries(unsupported)) {
    const value = (json as Record<string, unknown>)[field];
    if (value) refuse(field, `none, since ${what}`, value);
  }
}

function familyOf({ architectures, model_type: type }: RawConfig, refuse: RefuseField): Family {
  const family = (Object.keys(families) as Family[]).find((name) => families[name] === architectures[0])!;
  if (type && type !== family) refuse("model_type", `"${family}" for ${families[family]}`, type);
  return family;
}

function shapeOf(raw: RawConfig, family: Family, refuse: RefuseField) {
  if (raw.hidden_act !== "silu") refuse("hidden_act", '"silu"', raw.hidden_act);
  if (raw.use_sliding_window) refuse("use_sliding_window", "false, since attention sees everything", true);
  const layerType = raw.layer_types?.find((type) => type !== "full_attention");
  if (layerType !== undefined) refuse("layer_types", 'only "full_attention"', layerType);
  const heads = raw.num_attention_heads;
  const absent = family === "llama" ? heads : qwenKeyValueHeads;
  const keyValueHeads = raw.num_key_value_heads === null ? heads : (raw.num_key_value_heads ?? absent);
  const headSize = raw.head_dim ?? (family === "qwen3" ? qwen3HeadSize : raw.hidden_size / heads);
  if (heads % keyValueHeads !== 0)
    refuse("num_key_value_heads", `a divisor of the ${heads} attention heads`, keyValueHeads);
  if (!Number.isInteger(headSize) || headSize % 2 !== 0)
    refuse("head_dim", "heads of an even size", headSize);
  return {
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    layers: raw.num_hidden_layers,
    heads,
    keyValueHeads,
    headSize,
    feedForwardSize: raw.intermediate_size,
    contextLength: raw.max_position_embeddings,
    normEpsilon: raw.rms_norm_eps,
    tiedEmbeddings: raw.tie_word_embeddings,
  };
}

function ropeOf(raw: RawConfig, refuse: RefuseField): Pick<ModelConfig, "ropeTheta" | "ropeScaling"> {
  // where a config has both, transformers takes the older
  const hasOlder = Object.keys(raw.rope_scaling ?? {}).length > 0;
  const field = hasOlder ? "rope_scaling" : "rope_parameters";
  const rope = raw[field] ?? {};
  const nested = Object.entries(rope).find(([, value]) => typeof value === "object" && value !== null);
  if (nested) refuse(`${field}.${shown(nested[0], "")}`, "one rope for all layers", nested[1]);
  const share = rope.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (share !== 1) refuse("partial_rotary_factor", "heads that are rotated whole (1)", share);
  const ropeTheta = rope.rope_theta ?? raw.rope_theta ?? 10000;
  const ropeScaling = toRopeScaling(rope, {
    field,
    theta: ropeTheta,
    contextLength: raw.max_position_embeddings,
    originalContextLength: raw.original_max_position_embeddings ?? undefined,
    refuse,
  });
  return { ropeTheta, ropeScaling };
}

function biasesOf(raw: RawConfig, family: Family, refuse: RefuseField) {
  if (raw.mlp_bias && family !== "llama") refuse("mlp_bias", `false for ${families[family]}`, true);
  const everywhere = raw.attention_bias === true && family !== "qwen2";
  return {
    queryKeyNorm: family === "qwen3",
    // Qwen2 always has them, whatever a config says
    attentionBias: family === "qwen2" || everywhere,
    outputBias: everywhere,
    feedForwardBias: raw.mlp_bias === true,
  };
}

const typeNames = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
} as const satisfies Record<ElementType, string>;

/** config.json as `transformers` reads it, of the family that has the switches of this model. */
export function toHuggingFaceConfig(config: ModelConfig, type: ElementType): object {
  const family = familyWith(config);
  return {
    architectures: [families[family]],
    model_type: family,
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
    rope_scaling: fromRopeScaling(config.ropeScaling),
    tie_word_embeddings: config.tiedEmbeddings,
    attention_bias: config.attentionBias,
    ...(family === "llama" && { mlp_bias: config.feedForwardBias }),
    hidden_act: "silu",
    // the library's own defaults would be ids of another tokenizer
    bos_token_id: null,
    eos_token_id: null,
    use_sliding_window: false,
    torch_dtype: typeNames[type],
  };
}

function familyWith(config: ModelConfig): Family {
  const { queryKeyNorm, attentionBias, outputBias, feedForwardBias } = config;
  const everywhere = attentionBias === outputBias;
  if (queryKeyNorm && everywhere && !feedForwardBias) return "qwen3";
  if (!queryKeyNorm && everywhere) return "llama";
  if (!queryKeyNorm && attentionBias && !feedForwardBias) return "qwen2";
  throw new AttuneError(
    "usage",
    `model config: no architecture has queryKeyNorm ${queryKeyNorm}, attentionBias ${attentionBias}, outputBias ${outputBias} and feedForwardBias ${feedForwardBias}`,
  );
}

/** JSON from a file of a model folder. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new AttuneError("input", `${path}: expected JSON, got ${shown((error as Error).message, "")}`);
  }
}
