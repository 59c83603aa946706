import type { EvaluationReport } from "../eval/report.ts";

/** What a run tells whoever watches it. The loops print nothing. */
export type TrainEvent =
  | {
      type: "run-start";
      directory: string;
      resumed: boolean;
      stages: readonly { name: string; steps: number }[];
    }
  | { type: "demonstrations"; stage: string; kept: number; played: number; meanReward: number }
  | { type: "stage-start"; stage: string; steps: number; stepsDone: number }
  | {
      type: "step";
      stage: string;
      step: number;
      steps: number;
      metrics: StepMetrics;
      /** What should be said aloud about the step, a line each. */
      notes?: readonly string[];
      secondsLeft: number;
    }
  | { type: "evaluation-progress"; label: string; done: number; total: number; secondsLeft: number }
  | { type: "evaluation"; label: string; report: EvaluationReport }
  | { type: "checkpoint"; name: string }
  /** Workers that play the run's episodes have come or gone. */
  | { type: "workers"; alive: number; slots: number }
  | { type: "run-end"; directory: string; summary: RunSummary };

/** Numbers of one step, by name, as they stand in metrics.jsonl. */
export type StepMetrics = { [metric: string]: number };

/** `summary.json`: what a run came to. */
export type RunSummary = {
  environments: Record<string, Record<string, SuccessSummary>>;
  wallSeconds: number;
  peakMemoryBytes: number;
  tokensTrained: number;
  tokensSampled: number;
  run: string;
};

export type SuccessSummary = { success: number; low: number; high: number; episodes: number };
