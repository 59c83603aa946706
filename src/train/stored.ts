import { toRows } from "../batch/to-rows.ts";
import { readGroups } from "../data/stored-groups.ts";
import { learningRateAt } from "../kit/schedule.ts";
import { mean, sum } from "../kit/statistics.ts";
import { repairGroups } from "../rollout/groups.ts";
import { hasTokensOf } from "../rollout/known-tokens.ts";
import { AttuneError } from "../spec/error.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trainer } from "../spec/trainer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { optimizerDefaults, rlDefaults, type StoredConfig } from "./define-run.ts";
import type { StepMetrics } from "./event.ts";

export type StoredStage = {
  config: StoredConfig;
  trainer: Trainer;
  renderer: Renderer;
  firstStep: number;
  steps: number;
  signal: AbortSignal | undefined;
  /** Told after every step; the stage goes on when it returns. */
  onStep(step: number, metrics: StepMetrics): Promise<void>;
};

/**
 * Reinforcement learning without a rollout: groups that were played before, by whoever, are credited and learnt from
 * in the order they are stored. The stored log-probabilities are those of the policy that played, so a loss with a
 * ratio corrects for the distance to it, within its clip. One pass over the file.
 */
export async function trainStored(stage: StoredStage): Promise<void> {
  const { config, trainer, renderer, steps, signal } = stage;
  const { algorithm, trajectories: path, epochs = rlDefaults.epochs } = config;
  const optimizer = { ...optimizerDefaults, ...config.optimizer };
  const schedule = config.schedule ?? rlDefaults.schedule;
  let step = 0;
  let emptySteps = 0;

  for await (const groups of batches(path, config.groupsPerStep ?? rlDefaults.groupsPerStep)) {
    if (step < stage.firstStep) {
      step++;
      continue;
    }
    signal?.throwIfAborted();
    const startedAt = performance.now();

    // check: ids of another vocabulary would train on noise
    for (const trajectory of groups.flat()) requireTokens(trajectory, { renderer, path });

    // credit
    const { kept, dropped } = repairGroups(groups, {
      least: config.leastGroupSize ?? rlDefaults.leastGroupSize,
    });
    const batch = toRows({ groups: kept, algorithm });
    const rewards = groups.flat().flatMap(({ reward }) => reward ?? []);
    const metrics: StepMetrics = {
      reward: mean(rewards),
      tokensSampled: 0,
      tokensTrained: 0,
      ...batch.metrics,
      dropped: batch.metrics.dropped + sum(dropped.map(({ of }) => of)),
      droppedGroups: dropped.length,
    };

    // learn
    if (batch.rows.length > 0) {
      emptySteps = 0;
      const learningRate = learningRateAt(optimizer.learningRate, schedule, step, steps);
      for (let epoch = 0; epoch < epochs; epoch++) {
        const { loss } = await trainer.forwardBackward(
          batch.rows,
          algorithm.loss,
          epoch === 0 ? { signal } : {},
        );
        const { gradientNorm } = await trainer.optimStep({ ...optimizer, learningRate });
        Object.assign(metrics, { loss, learningRate, gradientNorm });
      }
      metrics["tokensTrained"] = epochs * sum(batch.rows.map((row) => row.tokens.length));
    } else if (++emptySteps >= (config.emptyStepsAllowed ?? rlDefaults.emptyStepsAllowed)) {
      throw new AttuneError(
        "no_learning",
        `step ${step}: ${batch.reason}; ${emptySteps} steps in a row had nothing to learn from`,
      );
    }

    // record
    metrics["seconds"] = (performance.now() - startedAt) / 1000;
    await stage.onStep(step++, metrics);
  }
}

/** Steps that a pass over a file takes. */
export async function storedSteps({ trajectories, groupsPerStep }: StoredConfig): Promise<number> {
  let groups = 0;
  for await (const _ of readGroups(trajectories)) groups++;
  if (groups === 0)
    throw new AttuneError("input", `${trajectories}: expected trajectories to learn from, got none`);
  return Math.ceil(groups / (groupsPerStep ?? rlDefaults.groupsPerStep));
}

async function* batches(path: string, size: number): AsyncGenerator<Trajectory[][]> {
  let batch: Trajectory[][] = [];
  for await (const group of readGroups(path)) {
    batch.push(group);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function requireTokens(
  trajectory: Trajectory,
  { renderer, path }: { renderer: Renderer; path: string },
): void {
  const where = `${path}: trajectory ${trajectory.id}`;
  if (trajectory.nodes.some(({ mask, logprobs }) => mask && logprobs === null))
    throw new AttuneError(
      "input",
      `${where}: expected the log-probabilities of what was sampled, got none; a player's words are for an \`sft\` stage`,
    );
  if (!hasTokensOf(trajectory, renderer))
    throw new AttuneError(
      "input",
      `${where}: its token ids do not read back as its messages; it was sampled with another vocabulary than this model's`,
    );
}
