import { toSftRows } from "../batch/to-sft-rows.ts";
import { mixture } from "../data/mixture.ts";
import { learningRateAt } from "../kit/schedule.ts";
import { sum } from "../kit/statistics.ts";
import type { Trainer } from "../spec/trainer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { optimizerDefaults, type SftConfig, sftDefaults } from "./define-run.ts";
import type { StepMetrics } from "./event.ts";

export type SftStage = {
  config: SftConfig;
  /** Tokenised; what is learnt from. */
  demonstrations: readonly Trajectory[];
  /** Tokenised conversations that are mixed in by `config.general.share`. */
  general: readonly Trajectory[];
  trainer: Trainer;
  seed: number;
  firstStep: number;
  steps: number;
  signal: AbortSignal | undefined;
  /** Told after every step; the stage goes on when it returns. */
  onStep(step: number, metrics: StepMetrics): Promise<void>;
};

/** Supervised fine-tuning: −log p of the tokens the player wrote, a mean over the step's tokens. */
export async function trainSft(stage: SftStage): Promise<void> {
  const { config, trainer, steps } = stage;
  const batchSize = config.batchSize ?? sftDefaults.batchSize;
  const schedule = config.schedule ?? sftDefaults.schedule;
  const optimizer = { ...optimizerDefaults, ...config.optimizer };
  const share = stage.general.length > 0 ? (config.general?.share ?? 0) : 0;
  const draw = mixture(
    [
      { name: "general", examples: stage.general, weight: share },
      { name: "demonstrations", examples: stage.demonstrations, weight: 1 - share },
    ],
    { seed: stage.seed },
  );

  for (let step = stage.firstStep; step < steps; step++) {
    stage.signal?.throwIfAborted();
    const startedAt = performance.now();

    // choose: which examples this step sees depends on the seed and the step alone
    const examples = Array.from({ length: batchSize }, (_, index) => draw(step * batchSize + index));
    const rows = toSftRows(examples);

    // learn
    const { loss } = await trainer.forwardBackward(rows, { name: "cross_entropy" }, { signal: stage.signal });
    const learningRate = learningRateAt(optimizer.learningRate, schedule, step, steps);
    const { gradientNorm } = await trainer.optimStep({ ...optimizer, learningRate });

    // record
    await stage.onStep(step, {
      loss,
      learningRate,
      gradientNorm,
      tokensTrained: sum(rows.map((row) => row.tokens.length)),
      tokensSampled: 0,
      seconds: (performance.now() - startedAt) / 1000,
    });
  }
}

/** Steps a stage takes: as said, or as many as make the epochs. */
export function sftSteps(config: SftConfig, demonstrations: number): number {
  const epochs = config.epochs ?? sftDefaults.epochs;
  return config.steps ?? Math.ceil((epochs * demonstrations) / (config.batchSize ?? sftDefaults.batchSize));
}
