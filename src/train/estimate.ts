/**
 * Guesses the seconds a run still needs. Work is counted in rough token units; seconds per unit come from what has
 * been done so far, first of the same phase, else of all phases.
 */
export type Estimate = {
  /** Declares a phase and how many units it will take. */
  expect(phase: string, units: number): void;
  /** Units of a phase that were done in so many seconds. */
  did(phase: string, units: number, seconds: number): void;
  secondsLeft(): number;
};

export function createEstimate(): Estimate {
  const phases = new Map<string, { left: number; units: number; seconds: number }>();
  const at = (name: string) => {
    const phase = phases.get(name) ?? { left: 0, units: 0, seconds: 0 };
    phases.set(name, phase);
    return phase;
  };
  return {
    expect: (name, units) => {
      at(name).left = units;
    },
    did(name, units, seconds) {
      const phase = at(name);
      phase.left = Math.max(0, phase.left - units);
      phase.units += units;
      phase.seconds += seconds;
    },
    secondsLeft() {
      const all = [...phases.values()];
      const units = all.reduce((total, phase) => total + phase.units, 0);
      const seconds = all.reduce((total, phase) => total + phase.seconds, 0);
      const overallRate = units > 0 ? seconds / units : 0;
      return all.reduce(
        (left, phase) => left + phase.left * (phase.units > 0 ? phase.seconds / phase.units : overallRate),
        0,
      );
    },
  };
}
