import { join } from "node:path";
import { takeTasks } from "../data/tasks.ts";
import { type EvaluationReport, toReport } from "../eval/report.ts";
import { deriveSeed } from "../kit/random.ts";
import { mean } from "../kit/statistics.ts";
import type { RolloutDriver } from "../rollout/driver.ts";
import { toRequests } from "../rollout/groups.ts";
import { toDemonstration } from "../rollout/known-tokens.ts";
import type { Progress } from "../run/progress.ts";
import { createRun, openRun, type Run } from "../run/run.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trainer } from "../spec/trainer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { conversationTrajectory } from "./conversation.ts";
import {
  type ResolvedRun,
  type RunConfig,
  resolveRun,
  rlDefaults,
  type Stage,
  sftDefaults,
} from "./define-run.ts";
import { collectDemonstrations, type Demonstrations, readDemonstrations } from "./demonstrations.ts";
import { describeRun, differenceOf } from "./describe-run.ts";
import { createEstimate } from "./estimate.ts";
import type { RunSummary, StepMetrics, TrainEvent } from "./event.ts";
import { environmentsOf, requireHealthy } from "./gate.ts";
import { grade } from "./grade.ts";
import { trainRl } from "./rl.ts";
import { sftSteps, trainSft } from "./sft.ts";
import { storedSteps, trainStored } from "./stored.ts";
import { toSummary } from "./summary.ts";

export type TrainOptions = {
  /** Where run directories are made. */
  root: string;
  /** A run directory to go on with instead of making a new one. */
  resume?: string;
  /** Train even if an environment fails the short form of its health check. */
  force?: boolean;
  signal?: AbortSignal;
  now(): Date;
  /** Attune's version, for the manifest. */
  version: string;
  onEvent(event: TrainEvent): void;
};

/**
 * Runs a config from its first stage to its last, or from where it stopped. Killed at any moment, it resumes from
 * the last checkpoint and ends with the weights it would have had: every draw comes from (seed, stage, step), and
 * nothing outside the checkpoint carries over from one step to the next.
 */
export async function train(config: RunConfig, options: TrainOptions): Promise<RunSummary> {
  const resolved = resolveRun(config);
  if (!options.force) await requireHealthy(environmentsOf(resolved), options.signal);
  const run =
    options.resume === undefined ? create(resolved, options) : await resume(options.resume, resolved);
  let trainer: Trainer | undefined;
  let rollouts: RolloutDriver | undefined;
  try {
    await run.rewind(resolved.stages.map(({ name }) => name));
    const demonstrations = demonstrationsOf(resolved, options);
    const { rendererFiles = {}, ...learner } = await resolved.trainer.create({
      seed: deriveSeed(resolved.seed, "model"),
      tokenizerDirectory: run.layout.tokenizer,
      demonstrations: async () =>
        (await Promise.all([...demonstrations.values()].map((played) => played()))).flatMap(
          ({ kept }) => kept,
        ),
    });
    trainer = learner.trainer;
    rollouts = await resolved.rollouts.open({
      name: resolved.name,
      run: run.manifest.id,
      rendererFiles,
      onWorkers: (seen) => options.onEvent({ type: "workers", ...seen }),
    });
    return await runStages({ config: resolved, run, ...learner, rollouts, demonstrations, options });
  } finally {
    await rollouts?.close();
    await trainer?.close();
    await run.close();
  }
}

type Context = {
  config: ResolvedRun;
  run: Run;
  trainer: Trainer;
  renderer: Renderer;
  rollouts: RolloutDriver;
  demonstrations: ReadonlyMap<string, () => Promise<Demonstrations>>;
  options: TrainOptions;
};

async function runStages(context: Context): Promise<RunSummary> {
  const { config, run, trainer, renderer, rollouts, options } = context;
  const { signal, onEvent } = options;
  let progress = run.progress();
  if (progress.checkpoint !== null) await trainer.load(run.layout.checkpoint(progress.checkpoint));

  // prepare: tokenised demonstrations, and what each phase will cost
  const stages = await Promise.all(config.stages.map((stage) => prepareStage(stage, context)));
  const estimate = createEstimate();
  const { untrained, tasks } = config.evaluation;
  const episodeTokens = mean(stages.flatMap(({ tokensPerExample }) => tokensPerExample)) || 1;
  const evaluationUnits = (tasks * config.environments.length * episodeTokens) / 2;
  for (const { name, steps, unitsPerStep } of stages) estimate.expect(name, steps * unitsPerStep);
  const labels = [
    ...(untrained ? ["untrained"] : []),
    ...stages.filter((stage) => stage.evaluate).map(({ name }) => name),
  ];
  for (const label of labels) estimate.expect(`eval ${label}`, evaluationUnits);
  onEvent({
    type: "run-start",
    directory: run.directory,
    resumed: options.resume !== undefined,
    stages: stages.map(({ name, steps }) => ({ name, steps })),
  });

  // the clock goes on where an interrupted run stopped it
  const secondsBefore = progress.wallSeconds;
  const startedAt = performance.now();
  const wallSeconds = () => secondsBefore + (performance.now() - startedAt) / 1000;
  const commit = async (next: Partial<Progress>, checkpoint: string) => {
    await trainer.save(run.layout.checkpoint(checkpoint));
    progress = { ...progress, ...next, checkpoint, wallSeconds: wallSeconds() };
    await run.commit(progress, { keep: (name) => stages.some((stage) => name === stage.name) });
    onEvent({ type: "checkpoint", name: checkpoint });
  };
  const evaluateAs = async (label: string) => {
    const known = run.readEvaluation(label);
    const startedEvaluationAt = performance.now();
    const report = known
      ? (known as EvaluationReport)
      : await evaluatePolicy(label, context, estimate.secondsLeft);
    if (!known) progress = { ...progress, tokensSampled: progress.tokensSampled + report.tokensSampled };
    estimate.did(`eval ${label}`, evaluationUnits, (performance.now() - startedEvaluationAt) / 1000);
    onEvent({ type: "evaluation", label, report });
    return [label, report] as const;
  };

  const reports: (readonly [string, EvaluationReport])[] = [];
  if (untrained) reports.push(await evaluateAs("untrained"));

  for (const [stageIndex, stage] of stages.entries()) {
    const { name, steps, unitsPerStep } = stage;
    if (stageIndex >= progress.stageIndex) {
      const firstStep = stageIndex === progress.stageIndex ? progress.stepsDone : 0;
      if (firstStep === 0) await trainer.resetOptimizer();
      onEvent({ type: "stage-start", stage: name, steps, stepsDone: firstStep });
      estimate.did(name, firstStep * unitsPerStep, 0);

      const onStep = async (
        step: number,
        metrics: StepMetrics,
        {
          trajectories = [],
          notes = [],
        }: { trajectories?: readonly Trajectory[]; notes?: readonly string[] } = {},
      ) => {
        await run.trajectories.append(trajectories, { series: name });
        run.appendMetrics({ stage: name, stageIndex, step, ...metrics });
        progress = {
          ...progress,
          stageIndex,
          stepsDone: step + 1,
          tokensTrained: progress.tokensTrained + (metrics["tokensTrained"] ?? 0),
          tokensSampled: progress.tokensSampled + (metrics["tokensSampled"] ?? 0),
        };
        estimate.did(name, unitsPerStep, metrics["seconds"] ?? 0);
        onEvent({
          type: "step",
          stage: name,
          step,
          steps,
          metrics,
          ...(notes.length > 0 && { notes }),
          secondsLeft: estimate.secondsLeft(),
        });
        const last = step + 1 === steps;
        if (!last && (step + 1) % stage.checkpointEvery === 0) await commit({}, `${name}-${step + 1}`);
      };
      const seed = deriveSeed(config.seed, "stage", name);
      const shared = { trainer, seed, firstStep, signal, onStep };
      try {
        if ("sft" in stage.stage) {
          const { demonstrations, general } = stage;
          await trainSft({ ...shared, config: stage.stage.sft, steps, demonstrations, general });
        } else if ("stored" in stage.stage) {
          const { stored } = stage.stage;
          await trainStored({ trainer, renderer, firstStep, signal, onStep, steps, config: stored });
        } else {
          const { environments, limits, retry } = config;
          const world = { environments, limits, retry, rollouts };
          await trainRl({ ...shared, ...world, config: stage.stage.rl, renderer });
        }
      } catch (error) {
        // stopped between two steps: the weights are those of the last one that was done
        const unsaved = `${name}-${progress.stepsDone}`;
        if (
          signal?.aborted &&
          progress.stageIndex === stageIndex &&
          progress.stepsDone > firstStep &&
          progress.checkpoint !== unsaved
        ) {
          await commit({}, unsaved);
        }
        throw error;
      }
      await commit({ stageIndex: stageIndex + 1, stepsDone: 0 }, name);
    }
    if (stage.evaluate) reports.push(await evaluateAs(name));
  }

  const summary = toSummary(reports, { ...progress, wallSeconds: wallSeconds() }, run.directory);
  run.writeJson(run.layout.summary, summary as unknown as Json);
  onEvent({ type: "run-end", directory: run.directory, summary });
  return summary;
}

type PreparedStage = {
  stage: Stage;
  name: string;
  evaluate: boolean;
  steps: number;
  checkpointEvery: number;
  demonstrations: Trajectory[];
  general: Trajectory[];
  tokensPerExample: number[];
  unitsPerStep: number;
};

const nothingToImitate = { demonstrations: [], general: [], tokensPerExample: [] };

async function prepareStage(
  stage: Stage,
  { config, renderer, demonstrations, options }: Context,
): Promise<PreparedStage> {
  const shared = {
    stage,
    name: stage.name,
    evaluate: stage.evaluate ?? false,
    checkpointEvery: config.checkpointEvery,
  };
  if ("rl" in stage) {
    const { groupSize, groupsPerStep } = { ...rlDefaults, ...stage.rl };
    return {
      ...shared,
      ...nothingToImitate,
      steps: stage.rl.steps,
      unitsPerStep: 2 * 80 * groupSize * groupsPerStep,
    };
  }
  if ("stored" in stage) {
    const { groupsPerStep = rlDefaults.groupsPerStep } = stage.stored;
    const steps = await storedSteps(stage.stored);
    return { ...shared, ...nothingToImitate, steps, unitsPerStep: 80 * rlDefaults.groupSize * groupsPerStep };
  }
  const { kept, played, meanReward } = await demonstrations.get(stage.name)!();
  const tokenised = kept.map((trajectory) => toDemonstration(trajectory, renderer));
  const general = (stage.sft.general?.conversations ?? []).map((messages) =>
    conversationTrajectory(messages, renderer),
  );
  options.onEvent({ type: "demonstrations", stage: stage.name, kept: kept.length, played, meanReward });
  const tokensPerExample = tokenised.map(({ nodes }) =>
    nodes.reduce((total, node) => total + node.tokens.length, 0),
  );
  return {
    ...shared,
    steps: sftSteps(stage.sft, tokenised.length),
    demonstrations: tokenised,
    general,
    tokensPerExample,
    unitsPerStep: (stage.sft.batchSize ?? sftDefaults.batchSize) * mean(tokensPerExample),
  };
}

/** One memo for each SFT stage: played when first asked for, a pure function of the run's seed. */
function demonstrationsOf(
  config: ResolvedRun,
  { signal }: TrainOptions,
): Map<string, () => Promise<Demonstrations>> {
  const memos = new Map<string, () => Promise<Demonstrations>>();
  for (const stage of config.stages) {
    if (!("sft" in stage)) continue;
    const { demonstrations } = stage.sft;
    let played: Promise<Demonstrations> | undefined;
    memos.set(stage.name, () => {
      const seed = deriveSeed(config.seed, "stage", stage.name);
      played ??=
        "trajectories" in demonstrations
          ? readDemonstrations(demonstrations)
          : collectDemonstrations(
              { ...demonstrations, environments: demonstrations.environments ?? config.environments },
              { seed, signal, retry: config.retry },
            );
      return played;
    });
  }
  return memos;
}

/** Held-out success of the weights as they are now, kept in the run directory under a label. */
async function evaluatePolicy(
  label: string,
  context: Context,
  secondsLeft: () => number,
): Promise<EvaluationReport> {
  const { config, run, trainer, renderer, rollouts, options } = context;
  const { environments, limits, retry, evaluation } = config;
  const tasks = environments.flatMap((environment) =>
    takeTasks({
      environments: [environment],
      split: "test",
      count: evaluation.tasks,
      seed: deriveSeed("evaluation", environment.name),
      whenUsedUp: "stop",
    }),
  );
  const requests = toRequests({
    tasks,
    groupSize: 1,
    step: 0,
    runSeed: deriveSeed(config.seed, "evaluation", label),
    sampling: { temperature: evaluation.temperature },
  });
  let done = 0;
  const policy = await trainer.policy();
  const { trajectories } = await rollouts.play({
    environments,
    requests,
    policy,
    renderer,
    limits,
    grade,
    concurrency: evaluation.concurrency,
    order: "lockstep",
    retry,
    signal: options.signal,
    onEpisode: () => {
      done++;
      if (done % 20 === 0 || done === tasks.length) {
        options.onEvent({
          type: "evaluation-progress",
          label,
          done,
          total: tasks.length,
          secondsLeft: secondsLeft(),
        });
      }
    },
  });
  await policy.close?.();
  const report = toReport(trajectories);
  const series = `eval-${label}`;
  await run.trajectories.remove(series);
  await run.trajectories.append(trajectories, { series });
  run.writeJson(run.layout.evaluation(label), report as unknown as Json);
  return report;
}

function create(config: ResolvedRun, { root, now, version }: TrainOptions): Run {
  const { name, seed } = config;
  return createRun({ root, name, seed, config: describeRun(config), version, now: now() });
}

/** Opens a run to go on with it; refuses a config that is not the one it was started with. */
async function resume(directory: string, config: ResolvedRun): Promise<Run> {
  const run = openRun(directory);
  const difference = differenceOf(run.readConfig(), describeRun(config));
  if (difference !== undefined) {
    await run.close();
    throw new AttuneError(
      "usage",
      `${join(directory, "config.json")}: the config has changed since the run was started: ${difference}`,
    );
  }
  return run;
}
