import { createRandom, deriveSeed, type Random } from "../kit/random.ts";
import { mean } from "../kit/statistics.ts";
import { playWithPlayer } from "../rollout/player.ts";
import { playWithRetries, type RetryBudget, resolveRetry } from "../rollout/retry.ts";
import type { Environment } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { readTrajectories } from "../trajectory/store.ts";
import type { DemonstrationConfig, StoredDemonstrations } from "./define-run.ts";
import { grade } from "./grade.ts";

/** Trajectories that experts played, as messages: tokens come later, from whatever vocabulary is to learn them. */
export type Demonstrations = { kept: Trajectory[]; played: number; meanReward: number };

/**
 * Plays train tasks with the environments' scripted experts, the environments in rotation, and keeps what the
 * reward filter lets through. A pure function of its arguments.
 */
export async function collectDemonstrations(
  config: DemonstrationConfig & { environments: readonly Environment[] },
  options: { seed: number; signal?: AbortSignal; retry?: Partial<RetryBudget> },
): Promise<Demonstrations> {
  const random = createRandom(deriveSeed(options.seed, "demonstrations"));
  const open = (environment: Environment, round: number) =>
    environment
      .tasks({
        split: "train",
        seed: deriveSeed(options.seed, "demonstrations", environment.name, ...(round === 0 ? [] : [round])),
      })
      [Symbol.iterator]();
  const sources = config.environments.map((environment) => ({
    environment,
    round: 0,
    tasks: open(environment, 0),
  }));
  const kept: Trajectory[] = [];
  let rewards = 0;
  let played = 0;
  while (played < config.count) {
    options.signal?.throwIfAborted();
    const source = sources[played % sources.length]!;
    const { environment } = source;
    let task = source.tasks.next();
    if (task.done) {
      // a world with few tasks shows them again
      source.tasks = open(environment, ++source.round);
      task = source.tasks.next();
    }
    if (task.done) throw new AttuneError("usage", `environment "${environment.name}" has no train task`);
    const name = drawExpert(environment, config.experts ?? { careful: 1 }, random);
    const seed = deriveSeed(options.seed, "demonstration", played);
    const request = {
      task: task.value,
      step: 0,
      group: `demonstration-${played}`,
      sample: 0,
      seed,
      sampling: { temperature: 0 },
    };
    const { signal } = options;
    const trajectory = await playWithRetries(
      (attempt) => {
        const player = environment.experts![name]!(request.task, { seed });
        return playWithPlayer({ environment, request, player, playerName: name, grade, attempt, signal });
      },
      { budget: resolveRetry(options.retry), seed, ...(signal && { signal }) },
    );
    if (trajectory.reward === null) {
      throw new AttuneError(
        "environment",
        `environment "${environment.name}": expert "${name}" could not be graded on task ${task.value.id}: ${trajectory.error ?? trajectory.status}`,
      );
    }
    rewards += trajectory.reward;
    if (trajectory.reward >= (config.minimumReward ?? Number.NEGATIVE_INFINITY)) kept.push(trajectory);
    played++;
  }
  if (kept.length === 0) {
    throw new AttuneError(
      "no_learning",
      `none of ${played} demonstrations reached the reward ${config.minimumReward}`,
    );
  }
  return { kept, played, meanReward: rewards / played };
}

/** Reads what was played before and keeps what the reward filter lets through; a trajectory without a reward passes none. */
export async function readDemonstrations({
  trajectories,
  minimumReward,
}: StoredDemonstrations): Promise<Demonstrations> {
  const kept: Trajectory[] = [];
  let played = 0;
  const rewards: number[] = [];
  for await (const trajectory of readTrajectories(trajectories)) {
    played++;
    if (trajectory.reward !== null) rewards.push(trajectory.reward);
    if (minimumReward === undefined || (trajectory.reward ?? Number.NEGATIVE_INFINITY) >= minimumReward)
      kept.push(trajectory);
  }
  if (kept.length === 0)
    throw new AttuneError(
      "no_learning",
      played === 0
        ? `${trajectories}: there is no trajectory in it`
        : `${trajectories}: none of ${played} trajectories reached the reward ${minimumReward}`,
    );
  return { kept, played, meanReward: mean(rewards) };
}

function drawExpert(environment: Environment, weights: Record<string, number>, random: Random): string {
  const names = Object.keys(weights);
  const unknown = names.find((name) => !environment.experts?.[name]);
  if (unknown !== undefined) {
    const known = Object.keys(environment.experts ?? {}).join(", ") || "none";
    throw new AttuneError(
      "usage",
      `environment "${environment.name}" has no expert "${unknown}"; it has ${known}`,
    );
  }
  let left = random.next() * names.reduce((sum, name) => sum + weights[name]!, 0);
  for (const name of names) {
    if (left < weights[name]!) return name;
    left -= weights[name]!;
  }
  return names.at(-1)!;
}
