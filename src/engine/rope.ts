import type { ModelConfig } from "./model.ts";

/**
 * Cosines and sines of the rotary position embedding, [positions, headSize / 2] each, for the half-split
 * (Hugging Face, non-interleaved) layout: dimension i is paired with i + headSize/2. Su et al. 2021; the llama3
 * scaling follows the frequency bands of Llama 3.1's config.
 */
export function ropeTables(config: ModelConfig, positions: number): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(config);
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let index = 0; index < half; index++) {
      const angle = position * frequencies[index]!;
      cos[position * half + index] = Math.cos(angle);
      sin[position * half + index] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

function rotaryFrequencies({ headSize, ropeTheta, ropeScaling }: ModelConfig): number[] {
  return Array.from({ length: headSize / 2 }, (_, index) => {
    const frequency = ropeTheta ** ((-2 * index) / headSize);
    if (ropeScaling === null) return frequency;
    if (ropeScaling.type === "linear") return frequency / ropeScaling.factor;
    const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength } = ropeScaling;
    const turns = (originalContextLength * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}
