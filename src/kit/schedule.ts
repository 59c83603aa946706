/** How a learning rate moves over a stage: linear warm-up, then constant or a cosine down to `floor` × peak. */
export type Schedule =
  | { kind: "constant"; warmupSteps: number }
  | { kind: "cosine"; warmupSteps: number; floor: number };

/** The learning rate of a step (0-based) of `steps`. The first step of a warm-up of n is peak / n, the n-th is peak. */
export function learningRateAt(peak: number, schedule: Schedule, step: number, steps: number): number {
  if (step < schedule.warmupSteps) return (peak * (step + 1)) / schedule.warmupSteps;
  if (schedule.kind === "constant") return peak;
  const share = Math.min(1, (step - schedule.warmupSteps) / Math.max(1, steps - schedule.warmupSteps));
  return peak * (schedule.floor + (1 - schedule.floor) * 0.5 * (1 + Math.cos(Math.PI * share)));
}
