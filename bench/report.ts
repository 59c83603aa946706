import { cpus } from "node:os";

/** What every bench prints: one object. `ratio` above 1 means Attune is better than its peer. */
export type BenchRow = {
  case: string;
  unit: string;
  value: number;
  peer?: string;
  peerValue?: number;
  ratio?: number;
  skipped?: string;
  /** One value per step, where a case is about how something develops. */
  curve?: readonly number[];
};

export type BenchReport = {
  bench: string;
  machine: { cores: number; cpu: string; node: string };
  rows: BenchRow[];
};

export const machine = () => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? "unknown",
  node: process.version,
});

/** A bench reports progress on its own time through `say`, which goes to standard error. */
export type Bench = (options: { say(line: string): void; only?: string }) => Promise<BenchRow[]>;
