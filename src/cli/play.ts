import { existsSync } from "node:fs";
import { join } from "node:path";
import { embedded } from "../embedded.ts";
import { mapPool } from "../kit/pool.ts";
import { deriveSeed } from "../kit/random.ts";
import { toRequests } from "../rollout/groups.ts";
import { playWithPlayer } from "../rollout/player.ts";
import { rollout } from "../rollout/rollout.ts";
import { runLayout } from "../run/layout.ts";
import { readProgress } from "../run/run.ts";
import type { Environment, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { grade } from "../train/grade.ts";

export type PlayOptions = {
  environments: readonly Environment[];
  tasks: readonly Task[];
  /** Attempts at each task. */
  attempts: number;
  temperature: number;
  seed: number;
  onEpisode?(trajectory: Trajectory): void;
};

/**
 * Plays tasks with whoever a `--policy` names: `expert:NAME`, a run's or checkpoint's directory, or a Hugging Face
 * folder.
 */
export async function playWith(policy: string, options: PlayOptions): Promise<Trajectory[]> {
  const { environments, tasks, attempts, temperature, seed, onEpisode } = options;
  const requests = toRequests({
    tasks,
    groupSize: attempts,
    step: 0,
    runSeed: deriveSeed(seed, "play"),
    sampling: { temperature },
  });
  if (policy.startsWith("expert:")) {
    const name = policy.slice("expert:".length);
    return mapPool(requests, 16, async (request) => {
      const environment = environments.find((each) => each.name === request.task.environment)!;
      const expert = environment.experts?.[name];
      if (!expert) {
        const known = Object.keys(environment.experts ?? {}).join(", ") || "none";
        throw new AttuneError(
          "usage",
          `environment "${environment.name}" has no expert "${name}"; it has ${known}`,
        );
      }
      const player = expert(request.task, { seed: request.seed });
      const trajectory = await playWithPlayer({ environment, request, player, playerName: policy, grade });
      onEpisode?.(trajectory);
      return trajectory;
    });
  }
  const directory = resolveModel(policy);
  const learner = embedded({ model: { directory } });
  const { trainer, renderer } = await learner.create({
    seed,
    tokenizerDirectory: directory,
    demonstrations: async () => [],
  });
  try {
    const shared = {
      environments,
      requests,
      renderer,
      grade,
      concurrency: 64,
      order: "lockstep",
      retry: {},
    } as const;
    return await rollout({ ...shared, policy: await trainer.policy(), ...(onEpisode && { onEpisode }) });
  } finally {
    await trainer.close();
  }
}

/** The newest checkpoint of a run, or the directory itself. */
export function resolveModel(path: string): string {
  if (!existsSync(path))
    throw new AttuneError("usage", `${path}: there is no such run, checkpoint or model directory`);
  if (!existsSync(runLayout(path).manifest)) return path;
  const { checkpoint } = readProgress(path);
  if (checkpoint === null) throw new AttuneError("input", `${path}: this run has no checkpoint yet`);
  return join(runLayout(path).checkpoints, checkpoint);
}
