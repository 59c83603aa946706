import type { ModelConfig, RopeScaling } from "./model.ts";

/**
 * Cosines and sines of the rotary position embedding, [positions, headSize / 2] each, for the half-split
 * (Hugging Face, non-interleaved) layout: dimension i is paired with i + headSize/2. Su et al. 2021; the llama3
 * scaling follows the frequency bands of Llama 3.1's config, yarn is Peng et al. 2023, with its attention factor in the tables.
 */
export function ropeTables(config: ModelConfig, positions: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(config);
  const amplitude = config.ropeScaling?.type === "yarn" ? config.ropeScaling.attentionFactor : 1;
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let index = 0; index < half; index++) {
      const angle = position * frequencies[index]!;
      cos[position * half + index] = amplitude * Math.cos(angle);
      sin[position * half + index] = amplitude * Math.sin(angle);
    }
  }
  return { cos, sin };
}

function rotaryFrequencies(config: ModelConfig): number[] {
  const { headSize, ropeTheta, ropeScaling } = config;
  const dividedShare = ropeScaling?.type === "yarn" ? yarnRamp(config, ropeScaling) : null;
  return Array.from({ length: headSize / 2 }, (_, index) => {
    const frequency = ropeTheta ** ((-2 * index) / headSize);
    if (ropeScaling === null) return frequency;
    if (ropeScaling.type === "linear") return frequency / ropeScaling.factor;
    if (ropeScaling.type === "yarn") {
      const share = dividedShare!(index);
      return (share * frequency) / ropeScaling.factor + (1 - share) * frequency;
    }
    const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength } = ropeScaling;
    const turns = (originalContextLength * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/**
 * How much of a dimension's frequency is divided by the factor, 0 to 1: a line between the dimension that turns
 * `betaFast` times within the original context and the one that turns `betaSlow` times (Peng et al. 2023, section
 * 3.2). Borders, as `transformers` has them, are clamped to the width of the head.
 */
function yarnRamp(
  { headSize, ropeTheta }: ModelConfig,
  { originalContextLength, betaFast, betaSlow, truncate }: Extract<RopeScaling, { type: "yarn" }>,
): (index: number) => number {
  const dimensionOf = (turns: number) =>
    (headSize * Math.log(originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const [low, high] = [dimensionOf(betaFast), dimensionOf(betaSlow)];
  const from = Math.max(truncate ? Math.floor(low) : low, 0);
  const to = Math.min(truncate ? Math.ceil(high) : high, headSize - 1);
  // where both borders are the same dimension, the ramp is a step
  const width = to === from ? 0.001 : to - from;
  return (index) => Math.min(Math.max((index - from) / width, 0), 1);
}
