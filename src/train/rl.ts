import { isTied, toRows } from "../batch/to-rows.ts";
import { takeTasks } from "../data/tasks.ts";
import { type WatchedSessions, watchSessions } from "../environment/watch-sessions.ts";
import { deriveSeed } from "../kit/random.ts";
import { learningRateAt } from "../kit/schedule.ts";
import { sum } from "../kit/statistics.ts";
import { type SessionUse, toolMetrics } from "../monitor/tool-metrics.ts";
import type { RolloutDriver, SessionsElsewhere } from "../rollout/driver.ts";
import { type DroppedGroup, repairGroups, toGroups, toRequests } from "../rollout/groups.ts";
import type { RetryBudget } from "../rollout/retry.ts";
import type { Environment, RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trainer } from "../spec/trainer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { optimizerDefaults, type RlConfig, rlDefaults } from "./define-run.ts";
import type { StepMetrics } from "./event.ts";
import { grade } from "./grade.ts";
import { rolloutMetrics } from "./rollout-metrics.ts";

export type RlStage = {
  config: RlConfig;
  environments: readonly Environment[];
  limits: Partial<RolloutLimits>;
  retry: Partial<RetryBudget>;
  /** Who plays the episodes. */
  rollouts: RolloutDriver;
  trainer: Trainer;
  renderer: Renderer;
  seed: number;
  firstStep: number;
  signal: AbortSignal | undefined;
  /** Told after every step; the stage goes on when it returns. */
  onStep(
    step: number,
    metrics: StepMetrics,
    happened: { trajectories: readonly Trajectory[]; notes: readonly string[] },
  ): Promise<void>;
};

/**
 * Reinforcement learning on whole episodes: play, score, credit each trajectory against its group, take a gradient
 * step on the tokens the policy sampled. The loop does not know which algorithm it is running.
 */
export async function trainRl(stage: RlStage): Promise<void> {
  const { environments, limits, retry, rollouts, trainer, renderer, seed, signal } = stage;
  const config = { ...rlDefaults, ...stage.config };
  const optimizer = { ...optimizerDefaults, ...config.optimizer };
  let emptySteps = 0;

  for (let step = stage.firstStep; step < config.steps; step++) {
    signal?.throwIfAborted();
    const startedAt = performance.now();

    // sample: every task is tried groupSize times by one frozen policy; tied groups may be replaced by new tasks
    const policy = await trainer.policy();
    let groups: Trajectory[][] = [];
    const played: Trajectory[] = [];
    const retried: Trajectory[] = [];
    const elsewhere: SessionsElsewhere[] = [];
    const driverMetrics: StepMetrics = {};
    const watching = environments.map((environment) => watchSessions(environment));
    const droppedGroups: DroppedGroup[] = [];
    for (
      let round = 0;
      round <= (config.algorithm.resampleRounds ?? 0) && groups.length < config.groupsPerStep;
      round++
    ) {
      const tasks = takeTasks({
        environments,
        split: "train",
        count: config.groupsPerStep,
        seed: deriveSeed(seed, "tasks", step, round),
        whenUsedUp: "repeat",
      });
      const requests = toRequests({
        tasks,
        groupSize: config.groupSize,
        step,
        runSeed: deriveSeed(seed, "round", round),
        sampling: { temperature: config.temperature },
      });
      const { concurrency, order } = config;
      const { trajectories, sessions, metrics } = await rollouts.play({
        environments: watching.map(({ watched }) => watched),
        requests,
        policy,
        renderer,
        limits,
        grade,
        concurrency,
        order,
        retry,
        signal,
        onRetry: (thrownAway) => retried.push(thrownAway),
      });
      played.push(...trajectories);
      elsewhere.push(...sessions);
      for (const [name, value] of Object.entries(metrics))
        driverMetrics[name] = (driverMetrics[name] ?? 0) + value;
      const { kept: fresh, dropped } = repairGroups(toGroups(trajectories), { least: config.leastGroupSize });
      droppedGroups.push(...dropped);
      groups.push(...(config.algorithm.resampleRounds ? fresh.filter((group) => !isTied(group)) : fresh));
    }
    await policy.close?.();
    groups = groups.slice(0, config.groupsPerStep);
    const sampledAt = performance.now();

    // credit: what each trajectory earned against its own group, spread over the tokens it sampled
    const batch = toRows({ groups, algorithm: config.algorithm });

    // learn: nothing to learn from is said aloud, and ends the run when it keeps happening
    const metrics: StepMetrics = {
      ...rolloutMetrics(played),
      ...toolMetrics({ played, retried, sessions: watching.map((each) => sessionUse(each, elsewhere)) }),
      ...driverMetrics,
      ...batch.metrics,
      dropped: batch.metrics.dropped + sum(droppedGroups.map(({ of }) => of)),
      droppedGroups: droppedGroups.length,
      tokensTrained: 0,
    };
    if (batch.rows.length > 0) {
      emptySteps = 0;
      const learningRate = learningRateAt(optimizer.learningRate, config.schedule, step, config.steps);
      for (let epoch = 0; epoch < config.epochs; epoch++) {
        // once the first update is made the step is finished, whoever asks to stop
        const { loss } = await trainer.forwardBackward(
          batch.rows,
          config.algorithm.loss,
          epoch === 0 ? { signal } : {},
        );
        const { gradientNorm } = await trainer.optimStep({ ...optimizer, learningRate });
        Object.assign(metrics, { loss, learningRate, gradientNorm });
      }
      metrics["tokensTrained"] = config.epochs * sum(batch.rows.map((row) => row.tokens.length));
    } else if (++emptySteps >= config.emptyStepsAllowed) {
      const reason =
        groups.length === 0 && droppedGroups.length > 0
          ? "no trajectory has a reward, or too few of its group have: the world broke every group"
          : batch.reason;
      throw new AttuneError(
        "no_learning",
        `step ${step}: ${reason}; ${emptySteps} steps in a row had nothing to learn from`,
      );
    }

    // record
    metrics["sampleSeconds"] = (sampledAt - startedAt) / 1000;
    metrics["seconds"] = (performance.now() - startedAt) / 1000;
    await stage.onStep(step, metrics, { trajectories: played, notes: notesOn(droppedGroups, step) });
  }
}

/** Sessions of an environment, those of this process and those that were played elsewhere. */
function sessionUse(
  { watched, count, openByTool }: WatchedSessions,
  elsewhere: readonly SessionsElsewhere[],
): SessionUse {
  const others = elsewhere.filter(({ environment }) => environment === watched.name);
  const leakedByTool = openByTool();
  for (const [tool, leaked] of others.flatMap((each) => Object.entries(each.leakedByTool)))
    leakedByTool[tool] = (leakedByTool[tool] ?? 0) + leaked;
  return {
    environment: watched.name,
    opened: count.opened + sum(others.map(({ opened }) => opened)),
    leaked: count.opened - count.closed + sum(others.map(({ leaked }) => leaked)),
    leakedByTool,
  };
}

/** One line on the groups that the world has broken beyond use. */
function notesOn(dropped: readonly DroppedGroup[], step: number): string[] {
  const [first] = dropped;
  if (!first) return [];
  return [
    `step ${step}: ${dropped.length} ${dropped.length === 1 ? "group was" : "groups were"} dropped as a whole, the first (${first.group}) with ${first.left} of ${first.of} episodes left`,
  ];
}
