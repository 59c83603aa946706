/** Running averages of a parameter's gradient: `first` of g; `second` of g², where the optimizer keeps one. */
export type Moments = { first: Float32Array; second?: Float32Array };

export type AdamWOptions = {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Steps taken with these moments, this one included. */
  step: number;
  /** Multiplies the gradient (clipping). */
  gradientScale: number;
};

/** One AdamW step in place, with decoupled decay (Loshchilov & Hutter 2019, algorithm 2). */
export function adamWStep(
  weights: Float32Array,
  gradient: Float32Array,
  moments: Moments,
  options: AdamWOptions,
): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, gradientScale } = options;
  const first = moments.first;
  const second = moments.second!;
  const keep = 1 - learningRate * weightDecay;
  const rootCorrection = Math.sqrt(1 - beta2 ** step);
  const stepSize = (learningRate / (1 - beta1 ** step)) * rootCorrection;
  const floor = epsilon * rootCorrection;
  const freshFirst = (1 - beta1) * gradientScale;
  const freshSecond = (1 - beta2) * gradientScale * gradientScale;
  for (let index = 0; index < weights.length; index++) {
    const g = gradient[index]!;
    const m = beta1 * first[index]! + freshFirst * g;
    const v = beta2 * second[index]! + freshSecond * g * g;
    first[index] = m;
    second[index] = v;
    weights[index] = keep * weights[index]! - (stepSize * m) / (Math.sqrt(v) + floor);
  }
}
