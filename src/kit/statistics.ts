export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index]!;
  return total;
}

/** NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

/** Standard deviation; `unbiased` divides by n − 1 (0 for a single value). */
export function standardDeviation(
  values: ArrayLike<number>,
  kind: "unbiased" | "population" = "unbiased",
): number {
  const divisor = kind === "unbiased" ? values.length - 1 : values.length;
  if (divisor <= 0) return 0;
  const center = mean(values);
  let total = 0;
  for (let index = 0; index < values.length; index++) total += (values[index]! - center) ** 2;
  return Math.sqrt(total / divisor);
}

/** NaN for no values. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Linear interpolation between order statistics (R's type 7). NaN for no values. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/** Wilson score interval of a proportion (95 % by default): Wilson 1927. */
export function wilsonInterval(
  successes: number,
  trials: number,
  z = 1.959964,
): { low: number; high: number } {
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials;
  const denominator = 1 + z ** 2 / trials;
  const center = (share + z ** 2 / (2 * trials)) / denominator;
  const half = (z / denominator) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  // at the ends the sums cancel exactly, but not in floating point
  return { low: successes === 0 ? 0 : center - half, high: successes === trials ? 1 : center + half };
}
