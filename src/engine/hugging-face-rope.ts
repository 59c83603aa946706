import { z } from "zod";
import type { RopeScaling } from "./model.ts";
import { shown } from "./shown.ts";

const positive = z.number().positive();

/** `rope_scaling` of older configs and `rope_parameters` of newer ones. */
export const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: z.number().nullish(),
  factor: positive.nullish(),
  low_freq_factor: positive.nullish(),
  high_freq_factor: positive.nullish(),
  original_max_position_embeddings: z.number().int().positive().nullish(),
  attention_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  mscale: z.number().nonnegative().nullish(),
  mscale_all_dim: z.number().nonnegative().nullish(),
  truncate: z.boolean().nullish(),
});

type Rope = z.infer<typeof ropeSchema>;

/** Refuses a field of a config: what it should be, and what it is. */
export type RefuseField = (field: string, expected: string, got: unknown) => never;

type Around = {
  /** `rope_scaling` or `rope_parameters`. */
  field: string;
  theta: number;
  contextLength: number;
  /** `original_max_position_embeddings` beside the rope's fields, where some configs keep it. */
  originalContextLength: number | undefined;
  refuse: RefuseField;
};

/** How rotary frequencies are stretched, with the defaults that `transformers` fills in. */
export function toRopeScaling(rope: Rope, around: Around): RopeScaling | null {
  const { field, refuse, contextLength } = around;
  const type = rope.rope_type ?? rope.type ?? "default";
  const at = (name: string) => `${field}.${name}`;
  const need = (name: "factor" | "low_freq_factor" | "high_freq_factor") =>
    rope[name] ?? refuse(at(name), `a number for ${shown(type, "")} scaling`, rope[name]);
  const originalContextLength =
    around.originalContextLength ?? rope.original_max_position_embeddings ?? contextLength;
  if (type === "default") return null;
  if (type === "linear") return { type: "linear", factor: need("factor") };
  if (type === "llama3") {
    const [low, high] = [need("low_freq_factor"), need("high_freq_factor")];
    if (high <= low) refuse(at("high_freq_factor"), `a number above low_freq_factor ${low}`, high);
    const factor = need("factor");
    return {
      type: "llama3",
      factor,
      lowFrequencyFactor: low,
      highFrequencyFactor: high,
      originalContextLength,
    };
  }
  if (type === "yarn") {
    if (around.theta <= 1) refuse("rope_theta", "a number above 1", around.theta);
    const factor = rope.factor ?? contextLength / originalContextLength;
    const [betaFast, betaSlow] = [rope.beta_fast ?? 32, rope.beta_slow ?? 1];
    if (betaFast < betaSlow) refuse(at("beta_fast"), `a number of beta_slow ${betaSlow} or more`, betaFast);
    return {
      type: "yarn",
      factor,
      originalContextLength,
      betaFast,
      betaSlow,
      attentionFactor: rope.attention_factor ?? attentionFactor(rope, factor),
      truncate: rope.truncate ?? true,
    };
  }
  return refuse(at("rope_type"), "default, linear, llama3 or yarn", type);
}

/** Peng et al. 2023, equation 22, and DeepSeek's quotient of two of them. */
function attentionFactor({ mscale, mscale_all_dim: allDimensions }: Rope, factor: number): number {
  const sharpness = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale && allDimensions ? sharpness(mscale) / sharpness(allDimensions) : sharpness(1);
}

/** `rope_scaling` as `transformers` reads it, old and new. */
export function fromRopeScaling(scaling: RopeScaling | null): object | null {
  if (scaling === null) return null;
  if (scaling.type === "linear") return { rope_type: "linear", factor: scaling.factor };
  const shared = {
    rope_type: scaling.type,
    factor: scaling.factor,
    original_max_position_embeddings: scaling.originalContextLength,
  };
  if (scaling.type === "llama3") {
    return {
      ...shared,
      low_freq_factor: scaling.lowFrequencyFactor,
      high_freq_factor: scaling.highFrequencyFactor,
    };
  }
  return {
    ...shared,
    attention_factor: scaling.attentionFactor,
    beta_fast: scaling.betaFast,
    beta_slow: scaling.betaSlow,
    truncate: scaling.truncate,
  };
}
