import { mapPool } from "../kit/pool.ts";
import type { Environment, RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Policy } from "../spec/policy.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { type Grade, playEpisode } from "./episode.ts";
import { resolveLimits } from "./limits.ts";
import { createLockstep } from "./lockstep.ts";
import { policySpeaker } from "./speaker.ts";

export type Rollout = {
  environments: readonly Environment[];
  requests: readonly EpisodeRequest[];
  policy: Policy;
  renderer: Renderer;
  limits?: Partial<RolloutLimits>;
  grade: Grade;
  /** Episodes played at the same time. */
  concurrency: number;
  /** `lockstep`: repeats bit for bit. `free`: an episode never waits for another. */
  order: "lockstep" | "free";
  /** Attempts at an episode whose world fails, each with a fresh session. */
  attempts?: number;
  signal?: AbortSignal;
  onEpisode?(trajectory: Trajectory): void;
};

/** Plays many episodes with one policy. Trajectories come back in the order of the requests. */
export async function rollout(options: Rollout): Promise<Trajectory[]> {
  const {
    requests,
    policy,
    renderer,
    limits,
    grade,
    concurrency,
    order,
    attempts = 1,
    signal,
    onEpisode,
  } = options;
  const environments = new Map(options.environments.map((environment) => [environment.name, environment]));
  const lockstep =
    order === "lockstep" ? createLockstep(policy, { episodes: requests.length, concurrency }) : undefined;

  const trajectories = await mapPool(
    requests,
    concurrency,
    async (request, index) => {
      try {
        const environment = environments.get(request.task.environment);
        if (!environment)
          throw new AttuneError(
            "usage",
            `task ${request.task.id} is of environment "${request.task.environment}", which is not part of this rollout`,
          );
        const resolved = resolveLimits(environment.limits, limits);
        const { sampling, seed } = request;
        const speaker = policySpeaker(lockstep?.policyFor(index) ?? policy, {
          renderer,
          sampling,
          seed,
          limits: resolved,
        });
        let trajectory: Trajectory;
        let attempt = 0;
        do {
          trajectory = await playEpisode({
            environment,
            request,
            speaker,
            limits: resolved,
            grade,
            attempt,
            ...(signal && { signal }),
          });
          attempt++;
        } while (
          attempt < attempts &&
          (trajectory.status === "environment_error" || trajectory.status === "timeout")
        );
        onEpisode?.(trajectory);
        return trajectory;
      } finally {
        lockstep?.leave(index);
      }
    },
    signal,
  );
  signal?.throwIfAborted();
  return trajectories;
}
