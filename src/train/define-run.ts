import type { Schedule } from "../kit/schedule.ts";
import { inProcess, type RolloutDriverFactory } from "../rollout/driver.ts";
import { type RetryBudget, resolveRetry } from "../rollout/retry.ts";
import type { Algorithm } from "../spec/algorithm.ts";
import type { Environment, RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import type { Message } from "../spec/message.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { OptimizerParams, Trainer } from "../spec/trainer.ts";
import type { Trajectory } from "../spec/trajectory.ts";

/** A whole run: what to learn in, with what, in which stages. */
export type RunConfig = {
  name: string;
  seed?: number;
  environments: readonly Environment[];
  trainer: LearnerFactory;
  stages: readonly Stage[];
  evaluation?: Partial<EvaluationConfig>;
  limits?: Partial<RolloutLimits>;
  /** What may be spent on an episode whose world fails: attempts, time, and the waits between them. */
  retry?: Partial<RetryBudget>;
  /** Where episodes are played: in this process when absent, or e.g. `queue({ redis })`, by workers. */
  rollouts?: RolloutDriverFactory;
  /** Steps between checkpoints. */
  checkpointEvery?: number;
};

/** A stage is named; metrics, checkpoints and its evaluation carry the name. */
export type Stage = { name: string; evaluate?: boolean } & (
  | { sft: SftConfig }
  | { rl: RlConfig }
  | { stored: StoredConfig }
);

export type SftConfig = {
  demonstrations: DemonstrationConfig | StoredDemonstrations;
  /** Passes over the demonstrations. */
  epochs?: number;
  /** Steps; the default follows from `epochs`. */
  steps?: number;
  /** Trajectories in a step. */
  batchSize?: number;
  /** General conversations mixed in, one draw per example: `share` of the examples come from here (AgentTuning). */
  general?: { conversations: readonly (readonly Message[])[]; share: number };
  optimizer?: Partial<OptimizerParams>;
  schedule?: Schedule;
};

export type DemonstrationConfig = {
  /** Where they are played; the run's own environments when absent. */
  environments?: readonly Environment[];
  /** How many are played, over all environments. */
  count: number;
  /** Weights of the environments' experts by name; `{ careful: 1 }` when absent. */
  experts?: Record<string, number>;
  /** Keep only those with at least this reward (AgentTuning's filter). Absent, all are kept. */
  minimumReward?: number;
};

/** Demonstrations that were played before, by anyone. */
export type StoredDemonstrations = {
  /** A file of trajectories. Their own token ids are learnt where they are of this model's vocabulary. */
  trajectories: string;
  /** Keep only those with at least this reward. Absent, all are kept. */
  minimumReward?: number;
};

/** Reinforcement learning from groups of trajectories that were played before. */
export type StoredConfig = {
  algorithm: Algorithm;
  /** A file of trajectories, with token ids and log-probabilities of this model's vocabulary. */
  trajectories: string;
} & Pick<
  RlConfig,
  "groupsPerStep" | "epochs" | "optimizer" | "schedule" | "emptyStepsAllowed" | "leastGroupSize"
>;

export type RlConfig = {
  algorithm: Algorithm;
  steps: number;
  /** Attempts at each task. */
  groupSize?: number;
  groupsPerStep?: number;
  /** Optimizer steps on the same trajectories. */
  epochs?: number;
  temperature?: number;
  concurrency?: number;
  /** `lockstep` makes a run repeat bit for bit; `free` lets slow tools overlap with sampling. */
  order?: "lockstep" | "free";
  optimizer?: Partial<OptimizerParams>;
  schedule?: Schedule;
  /** Steps in a row that may train on nothing before the run stops. */
  emptyStepsAllowed?: number;
  /** Members with a reward that a group must keep when episodes are lost to the world; one with fewer is dropped. */
  leastGroupSize?: number;
};

export type EvaluationConfig = {
  /** Held-out tasks per environment. */
  tasks: number;
  temperature: number;
  concurrency: number;
  /** Evaluate before the first stage, under the label `untrained`. */
  untrained: boolean;
};

/** Brings a trainer and the renderer that goes with it. `embedded()` is one. */
export type LearnerFactory = {
  name: string;
  /** What the run's config.json says of it. */
  settings: Json;
  create(context: LearnerContext): Promise<{
    trainer: Trainer;
    renderer: Renderer;
    /** Texts by file name from which `renderer` makes the same one in another process. */
    rendererFiles?: Readonly<Record<string, string>>;
  }>;
  /** Makes the renderer of a run elsewhere, from its `rendererFiles`. Rollout workers need it. */
  renderer?(files: Readonly<Record<string, string>>): Renderer;
};

export type LearnerContext = {
  seed: number;
  /** Directory in which a vocabulary made for this run is kept, so that resuming finds the same one. */
  tokenizerDirectory: string;
  /** The demonstrations of every SFT stage, for a vocabulary to be made from. */
  demonstrations(): Promise<Trajectory[]>;
};

const evaluationDefaults: EvaluationConfig = {
  tasks: 200,
  temperature: 1,
  concurrency: 64,
  untrained: true,
};

export const optimizerDefaults: OptimizerParams = {
  kind: "adamw",
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientClip: 1,
};

export const sftDefaults = {
  epochs: 1,
  batchSize: 8,
  schedule: { kind: "cosine", warmupSteps: 30, floor: 0.05 },
} as const;

export const rlDefaults = {
  groupSize: 8,
  groupsPerStep: 8,
  epochs: 1,
  temperature: 1,
  concurrency: 64,
  order: "lockstep",
  schedule: { kind: "constant", warmupSteps: 5 },
  emptyStepsAllowed: 5,
  leastGroupSize: 2,
} as const;

export type ResolvedRun = Required<Omit<RunConfig, "evaluation">> & { evaluation: EvaluationConfig };

/** Checks a config and returns it as it is; `train` fills the defaults in. */
export function defineRun(config: RunConfig): RunConfig {
  resolveRun(config);
  return config;
}

/** The config with every default filled in, or a one-line error that names the field. */
export function resolveRun(config: RunConfig): ResolvedRun {
  const where = `run "${config.name}"`;
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `${where}: ${message}`);
  };
  if (!/^[a-z0-9][a-z0-9-]*$/.test(config.name ?? "")) {
    refuse(`expected a name of lower-case letters, digits and dashes, got ${JSON.stringify(config.name)}`);
  }
  if (!config.environments?.length) refuse("expected at least one environment in `environments`");
  if (!config.stages?.length) refuse("expected at least one stage in `stages`");
  if (typeof config.trainer?.create !== "function")
    refuse('expected `trainer`, e.g. embedded({ model: "nano" })');
  if (config.rollouts !== undefined && typeof config.rollouts.open !== "function")
    refuse("expected `rollouts`, e.g. queue({ redis })");
  const repeated = (names: string[]) => names.find((name, index) => names.indexOf(name) !== index);
  const environment = repeated(config.environments.map(({ name }) => name));
  if (environment) refuse(`environment "${environment}" is there twice`);
  const stage = repeated(config.stages.map(({ name }) => name));
  if (stage) refuse(`stage "${stage}" is there twice`);
  try {
    resolveRetry(config.retry);
  } catch (error) {
    refuse((error as Error).message);
  }
  for (const each of config.stages) checkStage(each, refuse);
  return {
    seed: 0,
    limits: {},
    retry: {},
    rollouts: inProcess,
    checkpointEvery: 25,
    ...config,
    evaluation: { ...evaluationDefaults, ...config.evaluation },
  };
}

function checkStage(stage: Stage, refuse: (message: string) => never): void {
  const positive = (field: string, value: number | undefined) => {
    if (value !== undefined && !(value > 0 && Number.isFinite(value))) {
      refuse(`stage "${stage.name}": expected ${field} above 0, got ${value}`);
    }
  };
  const file = (field: string, path: unknown) => {
    if (typeof path !== "string" || path === "")
      refuse(`stage "${stage.name}": expected ${field} as the path of a file, got ${JSON.stringify(path)}`);
  };
  if (!/^[a-z0-9][a-z0-9-]*$/.test(stage.name))
    refuse(`stage name ${JSON.stringify(stage.name)} is not a plain word`);
  if ("sft" in stage) {
    const { demonstrations } = stage.sft;
    if ("trajectories" in demonstrations) file("demonstrations.trajectories", demonstrations.trajectories);
    else positive("demonstrations.count", demonstrations.count);
    positive("epochs", stage.sft.epochs);
    positive("batchSize", stage.sft.batchSize);
    positive("steps", stage.sft.steps);
  } else if ("rl" in stage) {
    positive("steps", stage.rl.steps);
    positive("leastGroupSize", stage.rl.leastGroupSize);
    positive("groupSize", stage.rl.groupSize);
    positive("groupsPerStep", stage.rl.groupsPerStep);
    positive("epochs", stage.rl.epochs);
  } else if ("stored" in stage) {
    file("trajectories", stage.stored.trajectories);
    positive("leastGroupSize", stage.stored.leastGroupSize);
    positive("groupsPerStep", stage.stored.groupsPerStep);
    positive("epochs", stage.stored.epochs);
  } else {
    refuse(
      `stage ${JSON.stringify((stage as { name: string }).name)}: expected \`sft\`, \`rl\` or \`stored\``,
    );
  }
}
