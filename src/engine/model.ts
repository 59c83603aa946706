import { createRandom, deriveSeed } from "../kit/random.ts";
import { AttuneError } from "../spec/error.ts";

/**
 * Shape of a Llama-style decoder, with the switches that tell Llama, Qwen2 and Qwen3 apart: RMSNorm, rotary
 * positions, grouped-query attention, SwiGLU.
 */
export type ModelConfig = {
  vocabularySize: number;
  hiddenSize: number;
  layers: number;
  /** Query heads. */
  heads: number;
  /** Key and value heads; query heads share them in equal groups. */
  keyValueHeads: number;
  headSize: number;
  feedForwardSize: number;
  contextLength: number;
  ropeTheta: number;
  /** How the rotary frequencies are stretched for a longer context than the model was first trained on. */
  ropeScaling: RopeScaling | null;
  normEpsilon: number;
  /** RMSNorm on each head's queries and keys (Qwen3). */
  queryKeyNorm: boolean;
  /** Bias on the q, k and v projections (Qwen2; Llama and Qwen3 with `attention_bias`). */
  attentionBias: boolean;
  /** Bias on the o projection (Llama and Qwen3 with `attention_bias`). */
  outputBias: boolean;
  /** Biases in the feed-forward layers (Llama with `mlp_bias`). */
  feedForwardBias: boolean;
  /** The LM head is the embedding matrix. */
  tiedEmbeddings: boolean;
};

export type RopeScaling =
  | { type: "linear"; factor: number }
  | {
      type: "llama3";
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalContextLength: number;
    }
  | {
      type: "yarn";
      factor: number;
      originalContextLength: number;
      /** Turns within the original context above which a frequency stays, and below which it is divided. */
      betaFast: number;
      betaSlow: number;
      /** What cosines and sines are multiplied by, which makes attention sharper. */
      attentionFactor: number;
      /** Whether the borders of the ramp between the two are rounded outwards to whole dimensions. */
      truncate: boolean;
    };

/** Weights by Hugging Face name, in Hugging Face layout: a linear layer is [out, in]. */
export type Parameters = Map<string, Parameter>;
export type Parameter = { shape: readonly number[]; data: Float32Array };

export type Model = { config: ModelConfig; parameters: Parameters };

/** Ready-made shapes: `nano` learns the quickstart from random weights, `S` and `L` are what the benchmarks time. */
export const modelPresets = {
  nano: preset({
    vocabularySize: 768,
    hiddenSize: 128,
    layers: 3,
    heads: 4,
    feedForwardSize: 352,
    ropeTheta: 1000,
    queryKeyNorm: true,
  }),
  S: preset({ vocabularySize: 512, hiddenSize: 256, layers: 4, heads: 4, feedForwardSize: 768 }),
  L: preset({ vocabularySize: 4096, hiddenSize: 512, layers: 8, heads: 8, feedForwardSize: 1408 }),
} as const satisfies Record<string, ModelConfig>;

export type ModelPreset = keyof typeof modelPresets;

function preset(
  shape: Pick<ModelConfig, "vocabularySize" | "hiddenSize" | "layers" | "heads" | "feedForwardSize"> &
    Partial<ModelConfig>,
): ModelConfig {
  return {
    keyValueHeads: shape.heads,
    headSize: shape.hiddenSize / shape.heads,
    contextLength: 256,
    ropeTheta: 10000,
    ropeScaling: null,
    normEpsilon: 1e-6,
    queryKeyNorm: false,
    attentionBias: false,
    outputBias: false,
    feedForwardBias: false,
    tiedEmbeddings: true,
    ...shape,
  };
}

/** Every parameter's name and shape, in the order checkpoints list them. */
export function parameterShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { vocabularySize, hiddenSize, headSize, feedForwardSize } = config;
  const queryWidth = config.heads * headSize;
  const keyWidth = config.keyValueHeads * headSize;
  const shapes = new Map<string, readonly number[]>([
    ["model.embed_tokens.weight", [vocabularySize, hiddenSize]],
  ]);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string, shape: readonly number[]) => shapes.set(`model.layers.${layer}.${name}`, shape);
    at("input_layernorm.weight", [hiddenSize]);
    at("self_attn.q_proj.weight", [queryWidth, hiddenSize]);
    at("self_attn.k_proj.weight", [keyWidth, hiddenSize]);
    at("self_attn.v_proj.weight", [keyWidth, hiddenSize]);
    at("self_attn.o_proj.weight", [hiddenSize, queryWidth]);
    if (config.attentionBias) {
      at("self_attn.q_proj.bias", [queryWidth]);
      at("self_attn.k_proj.bias", [keyWidth]);
      at("self_attn.v_proj.bias", [keyWidth]);
    }
    if (config.outputBias) at("self_attn.o_proj.bias", [hiddenSize]);
    if (config.queryKeyNorm) {
      at("self_attn.q_norm.weight", [headSize]);
      at("self_attn.k_norm.weight", [headSize]);
    }
    at("post_attention_layernorm.weight", [hiddenSize]);
    at("mlp.gate_proj.weight", [feedForwardSize, hiddenSize]);
    at("mlp.up_proj.weight", [feedForwardSize, hiddenSize]);
    at("mlp.down_proj.weight", [hiddenSize, feedForwardSize]);
    if (config.feedForwardBias) {
      at("mlp.gate_proj.bias", [feedForwardSize]);
      at("mlp.up_proj.bias", [feedForwardSize]);
      at("mlp.down_proj.bias", [hiddenSize]);
    }
  }
  shapes.set("model.norm.weight", [hiddenSize]);
  if (!config.tiedEmbeddings) shapes.set("lm_head.weight", [vocabularySize, hiddenSize]);
  return shapes;
}

/**
 * Random weights: normal with the given deviation, output projections of attention and MLP divided by
 * √(2·layers) (GPT-2), norms one, biases zero. Each parameter has its own random stream.
 */
export function createModel(config: ModelConfig, options: { seed: number; deviation?: number }): Model {
  if (config.heads % config.keyValueHeads !== 0) {
    throw new AttuneError(
      "input",
      `model config: ${config.heads} heads cannot share ${config.keyValueHeads} key-value heads equally`,
    );
  }
  const deviation = options.deviation ?? 0.06;
  const parameters: Parameters = new Map();
  for (const [name, shape] of parameterShapes(config)) {
    const data = new Float32Array(shape.reduce((size, side) => size * side, 1));
    if (name.endsWith("norm.weight")) data.fill(1);
    else if (name.endsWith(".weight")) {
      const scale = /o_proj|down_proj/.test(name) ? deviation / Math.sqrt(2 * config.layers) : deviation;
      const random = createRandom(deriveSeed(options.seed, "init", name));
      for (let index = 0; index < data.length; index++) data[index] = random.normal() * scale;
    }
    parameters.set(name, { shape, data });
  }
  return { config, parameters };
}
