import { mapPool } from "../kit/pool.ts";
import type { Environment, RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Policy } from "../spec/policy.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { type Grade, playEpisode } from "./episode.ts";
import { resolveLimits } from "./limits.ts";
import { createLockstep } from "./lockstep.ts";
import { playOwn } from "./own-loop.ts";
import { playWithRetries, type RetryBudget, resolveRetry } from "./retry.ts";
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
  /** What may be spent on an episode whose world fails, each attempt in a fresh session. Absent, it is tried once. */
  retry?: Partial<RetryBudget>;
  signal?: AbortSignal;
  onEpisode?(trajectory: Trajectory): void;
  /** Told of every attempt that is thrown away because the world failed and the episode is tried again. */
  onRetry?(thrownAway: Trajectory): void;
};

/**
 * Plays many episodes with one policy. Trajectories come back in the order of the requests. What fails that is not
 * the world (the policy, a grader, an abort) stops every episode and is thrown.
 */
export async function rollout(options: Rollout): Promise<Trajectory[]> {
  const { requests, policy, concurrency, order } = options;
  const worlds = new Map(
    options.environments.map((environment) => [
      environment.name,
      { environment, limits: resolveLimits(environment.limits, options.limits) },
    ]),
  );
  const failing = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failing.signal]) : failing.signal;
  const lockstep =
    order === "lockstep" ? createLockstep(policy, { episodes: requests.length, concurrency }) : undefined;

  const trajectories = await mapPool(
    requests,
    concurrency,
    async (request, index) => {
      let left = false;
      const leave = () => {
        if (!left) lockstep?.leave(index);
        left = true;
      };
      try {
        const world = worlds.get(request.task.environment);
        if (!world)
          throw new AttuneError(
            "usage",
            `task ${request.task.id} is of environment "${request.task.environment}", which is not part of this rollout`,
          );
        // an agent's own loop may ask for several things at once, or for none: it waits for nobody
        if (world.environment.play) leave();
        const player = (!world.environment.play && lockstep?.policyFor(index)) || policy;
        const trajectory = await playUntilItCounts(request, { ...options, ...world, player, signal });
        options.onEpisode?.(trajectory);
        return trajectory;
      } catch (error) {
        failing.abort(error);
        throw error;
      } finally {
        leave();
      }
    },
    signal,
  );
  signal.throwIfAborted();
  return trajectories;
}

async function playUntilItCounts(
  request: EpisodeRequest,
  options: Rollout & {
    environment: Environment;
    limits: RolloutLimits;
    player: Policy;
    signal: AbortSignal;
  },
): Promise<Trajectory> {
  const { environment, limits, player, renderer, grade, retry = { attempts: 1 }, onRetry, signal } = options;
  const { sampling, seed } = request;
  const speaker = policySpeaker(player, { renderer, sampling, seed, limits });
  const own = { request, speaker: { policy: player, renderer }, limits, signal };
  return playWithRetries(
    (attempt) =>
      environment.play
        ? playOwn(environment.play, { ...own, attempt }, (played) => grade(played, environment))
        : playEpisode({ environment, request, speaker, limits, grade, attempt, signal }),
    { budget: resolveRetry(retry), seed, signal, ...(onRetry && { onRetry }) },
  );
}
