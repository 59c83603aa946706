import { grpo } from "../algorithm/grpo.ts";
import { embedded } from "../embedded.ts";
import { atlas } from "../gym/atlas/atlas.ts";
import { calculator } from "../gym/calculator/calculator.ts";
import { echo } from "../gym/echo/echo.ts";
import { files } from "../gym/files/files.ts";
import { defineRun, type RlConfig, type RunConfig } from "../train/define-run.ts";

export type QuickstartOptions = {
  seed?: number;
  quick?: boolean;
  demonstrations?: { count: number; minimumReward?: number };
  rl?: Partial<RlConfig>;
};

/**
 * The quickstart: a model of 0.7 million random weights learns to use tools in three environments at once. The
 * demonstrations are of mixed quality by design, half of them hasty, as collected trajectories are; reinforcement
 * then finds out what works. `quick` is a few seconds of the same thing, for tests.
 */
export function quickstart({
  seed = 0,
  quick = false,
  demonstrations,
  rl,
}: QuickstartOptions = {}): RunConfig {
  const scale = quick ? 0.02 : 1;
  const steps = (count: number) => Math.max(2, Math.round(count * scale));
  return defineRun({
    name: "quickstart",
    seed,
    environments: [calculator(), atlas(), files()],
    trainer: embedded({ model: "nano" }),
    evaluation: { tasks: quick ? 6 : 200, temperature: 1 },
    limits: { turns: 7, tokensPerTurn: 64, tokens: 256 },
    checkpointEvery: quick ? 4 : 25,
    stages: [
      {
        // copying is learnt first and on its own: everything else in these worlds is built on it
        name: "drill",
        sft: {
          demonstrations: { environments: [echo()], count: quick ? 200 : 4800 },
          steps: steps(300),
          batchSize: 16,
          optimizer: { kind: "muon", learningRate: 4e-3 },
          schedule: { kind: "constant", warmupSteps: 30 },
        },
      },
      {
        name: "sft",
        evaluate: true,
        sft: {
          demonstrations: {
            count: quick ? 200 : 5000,
            experts: { careful: 0.5, hasty: 0.5 },
            ...demonstrations,
          },
          steps: steps(1750),
          batchSize: 8,
          optimizer: { kind: "muon", learningRate: 4e-3 },
          schedule: { kind: "cosine", warmupSteps: 30, floor: 0.05 },
        },
      },
      {
        name: "rl",
        evaluate: true,
        rl: {
          algorithm: grpo(),
          steps: steps(70),
          groupSize: 8,
          groupsPerStep: 8,
          optimizer: { kind: "muon", learningRate: 4e-4 },
          schedule: { kind: "constant", warmupSteps: 5 },
          ...rl,
        },
      },
    ],
  });
}
