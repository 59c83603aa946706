import { defineEnvironment } from "../../environment/define-environment.ts";
import { splitOf, toTask } from "../../environment/task.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Environment, GradeContext, RewardComponent, Split } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json } from "../../spec/json.ts";
import { type Controller, type ControllerOptions, createController, type WorkerCount } from "./controller.ts";
import { type SampleOutcome, sampleSession } from "./sample-session.ts";

type SampleIndex = number | string;

export type AgentBenchOptions = ControllerOptions & {
  /** The task's name at the controller, such as `dbbench-std`. */
  task: string;
  /** The environment's name here; made of the task's by default. */
  name?: string;
  /** Which indices are whose. Absent, a fifth of the controller's own is held out. */
  splits?: Record<Split, readonly SampleIndex[]>;
  /** Makes a reward of a sample's result, where the worker gives none of its own. */
  score?: (result: Json) => number | null;
  signal?: AbortSignal;
};

type SampleInput = { index: SampleIndex };

/** An index by which the function-calling edition marks tasks that the caller brings along. */
const customIndex = -1;

/**
 * A task of a running AgentBench controller, in either edition of its protocol. The indices are read now; each
 * attempt starts a sample, which is cancelled when it is closed before its end. Throws `AttuneError`: `usage` for
 * options and a task that is not there, `environment` for the controller.
 */
export async function agentBench({
  task: taskName,
  name,
  splits,
  score,
  signal = new AbortController().signal,
  ...options
}: AgentBenchOptions): Promise<Environment> {
  const controller = createController(options);
  const { timeoutMs = 120_000 } = options;
  const indices = splits ?? (await splitIndices(controller, taskName, signal));
  const shared = indices.test.find((index) => indices.train.includes(index));
  if (shared !== undefined)
    throw new AttuneError("usage", `agentBench: splits: index ${shared} is in train and in test`);
  const environment = name ?? `agentbench-${taskName.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;

  return defineEnvironment<SampleInput>({
    name: environment,
    description: `The task ${taskName} of the AgentBench controller at ${controller.url}.`,
    *tasks({ split, seed }) {
      const random = createRandom(deriveSeed(seed, environment, split));
      for (const index of random.shuffle(indices[split]))
        yield toTask({ environment, kind: taskName, input: { index }, split });
    },
    start: async ({ input: { index } }, context) => {
      const started = await startSample(controller, { task: taskName, index, ...context });
      return sampleSession(controller, { ...started, toolTimeoutMs: timeoutMs, signal: context.signal });
    },
    rewards: sampleRewards(score),
  });
}

/** The tasks that a controller has workers for, and how many samples these may run and do run. */
export function agentBenchTasks({
  signal = new AbortController().signal,
  ...options
}: ControllerOptions & { signal?: AbortSignal }): Promise<WorkerCount[]> {
  return createController(options).listWorkers(signal);
}

async function splitIndices(
  controller: Controller,
  task: string,
  signal: AbortSignal,
): Promise<Record<Split, SampleIndex[]>> {
  const indices = await controller.indices(task, signal);
  if (!indices) {
    const known = await controller.listWorkers(signal);
    const names = known.map(({ task }) => task).join(", ") || "none";
    throw new AttuneError("usage", `agentBench: task: got "${task}"; ${controller.url} has ${names}`);
  }
  const own = indices.filter((index) => index !== customIndex);
  const of = (split: Split) =>
    own.filter((index) => splitOf(String(index), { salt: `agentbench-${task}` }) === split);
  return { train: of("train"), test: of("test") };
}

/** Starts a sample. One that comes after the abort is cancelled, because nobody will. */
async function startSample(
  controller: Controller,
  { task, index, seed, signal }: { task: string; index: SampleIndex; seed: number; signal: AbortSignal },
) {
  const starting = controller.start(task, { index, seed, signal });
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([starting, aborted]);
  } catch (error) {
    if (signal.aborted)
      starting
        .then(({ session, turn }) => (turn.finished ? undefined : controller.cancel(session, turn.edition)))
        // nobody is left to be told
        .catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort!);
  }
}

/**
 * The worker's reward, or `score` of its result. A sample that the agent left before its end has earned nothing. The
 * worker's metrics that are always there, its score, its end and its rounds, stand beside it with weight 0.
 */
function sampleRewards(score: AgentBenchOptions["score"]): Record<string, RewardComponent> {
  const read =
    (value: (outcome: SampleOutcome) => number | null) =>
    ({ outcome }: GradeContext) =>
      outcome === undefined ? null : value(outcome as SampleOutcome);
  return {
    reward: {
      weight: 1,
      grade: read(({ finished, reward, result }) => (finished ? (score ? score(result) : reward) : 0)),
    },
    score: { weight: 0, grade: read(({ metrics }) => metrics["score"] ?? null) },
    finished: { weight: 0, grade: read(({ finished }) => (finished ? 1 : 0)) },
    invalid: {
      weight: 0,
      grade: read(({ ended }) => (ended === "policy_error" || ended === "parse_error" ? 1 : 0)),
    },
    limit: {
      weight: 0,
      grade: read(({ ended }) => (ended === "max_turns" || ended === "context_overflow" ? 1 : 0)),
    },
    rounds: { weight: 0, grade: read(({ rounds }) => rounds) },
  };
}
