import { randomUUID } from "node:crypto";
import { within } from "../rollout/deadline.ts";
import type { RolloutDriver, RolloutDriverContext } from "../rollout/driver.ts";
import { resolveLimits } from "../rollout/limits.ts";
import { resolveRetry } from "../rollout/retry.ts";
import type { Rollout } from "../rollout/rollout.ts";
import { AttuneError } from "../spec/error.ts";
import { beginPlay, type Play } from "./play.ts";
import { type PolicyServer, servePolicies } from "./policy-server.ts";
import { presenceOf } from "./presence.ts";
import { checkQueueName, connectRedis, describeRedis, keyPrefix, loadQueueLibraries } from "./redis.ts";
import { repeat } from "./repeat.ts";
import { type EpisodeJob, encodeJob } from "./wire.ts";

export type DispatcherOptions = Omit<RolloutDriverContext, "name"> & {
  /** `redis://…` */
  redis: string;
  queue: string;
  /** Where the policies are served; see `servePolicies`. */
  host?: string;
  port?: number;
  /** How often a job is tried whose playing fails for another reason than its world. */
  attempts?: number;
  /** Milliseconds without a living worker, or without an answer of Redis, after which a rollout is given up. */
  patienceMs?: number;
};

/** Milliseconds between two looks at who is alive. */
const lookMs = 500;
/** Milliseconds between two looks at the jobs without a result. */
const checkMs = 2000;
/** Milliseconds for which workers go on with a play after the last sign of its trainer. */
const holdMs = 60_000;
/** Milliseconds that Redis is given to tidy up after a play or a run. */
const goodbyeMs = 5000;

/**
 * The driver that has episodes played by workers: a job for each episode through BullMQ, the policy over HTTP, the
 * results through a queue of this trainer's own. An episode counts once, however often it was played. Samples are
 * drawn as the workers ask for them (`order` "free"), and how many episodes are played at a time is the workers'
 * `slots`, whatever `concurrency` says. Throws `AttuneError`: `usage`, or `io` where Redis or the port cannot be had.
 */
export async function openDispatcher(given: DispatcherOptions): Promise<RolloutDriver> {
  const { run, onWorkers, attempts = 4, patienceMs = 600_000 } = given;
  const queue = checkQueueName(given.queue);
  const { bullmq } = await loadQueueLibraries();
  const redis = await connectRedis(given.redis);
  const server = await servePolicies(given).catch((error: unknown) => {
    redis.disconnect();
    throw error;
  });
  const presence = presenceOf(redis, queue);
  const plays = new Map<string, Play>();
  const shared = { connection: redis, prefix: keyPrefix };
  const results = `${queue}.results.${randomUUID()}`;
  const jobs = new bullmq.Queue(queue, shared);
  const resultQueue = new bullmq.Queue(results, shared);
  const receiver = new bullmq.Worker(
    results,
    // a result of a play that has ended is nobody's any more
    async ({ data }) => plays.get(String((data as { play?: unknown } | null)?.play))?.receive(data),
    shared,
  );
  // a connection that is lost is made again; one that stays lost is told by the watch below
  for (const each of [jobs, resultQueue]) each.on("error", () => undefined);
  receiver.on("error", () => undefined);

  const askFor = async (play: Play, positions: readonly number[], jobOf: (position: number) => unknown) => {
    await jobs.addBulk(
      positions.map((position) => ({
        name: "episode",
        data: jobOf(position),
        opts: {
          jobId: play.jobId(position),
          attempts,
          backoff: { type: "exponential", delay: 500, jitter: 0.5 },
          removeOnComplete: true,
          removeOnFail: { age: 3600 },
        },
      })),
    );
  };

  let seen = { alive: 0, slots: 0 };
  let aliveAt = performance.now();
  let answeredAt = performance.now();
  const looking = repeat(
    lookMs,
    async () => {
      const cards = await presence.alive();
      const slots = cards.reduce((total, card) => total + card.slots, 0);
      if (cards.length !== seen.alive || slots !== seen.slots) onWorkers({ alive: cards.length, slots });
      seen = { alive: cards.length, slots };
      answeredAt = performance.now();
      if (cards.length > 0) aliveAt = answeredAt;
      await Promise.all([...plays.keys()].map((id) => presence.hold(id, holdMs)));
    },
    () => undefined,
  );
  // a look at a Redis that is gone never ends, so patience has a clock of its own
  const watch = setInterval(() => {
    const now = performance.now();
    if (plays.size === 0) aliveAt = answeredAt = now;
    const address = describeRedis(given.redis);
    const seconds = patienceMs / 1000;
    if (now - answeredAt > patienceMs)
      failAll(new AttuneError("io", `redis ${address}: no answer for ${seconds} s`));
    else if (now - aliveAt > patienceMs)
      failAll(
        new AttuneError(
          "environment",
          `queue "${queue}": no worker has been alive for ${seconds} s; start some with: attune worker CONFIG --redis ${address}`,
        ),
      );
  }, lookMs);
  const failAll = (error: Error) => {
    for (const each of plays.values()) each.fail(error);
  };

  return {
    async play(options) {
      const { requests, policy, signal } = options;
      signal?.throwIfAborted();
      if (requests.length === 0) return { trajectories: [], sessions: [], metrics: {} };
      const id = randomUUID();
      const play = beginPlay({ id, run, options, attempts });
      const onAbort = () => play.fail(signal!.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      const number = server.open(policy, play.fail);
      const jobOf = jobsOf(options, { run, play: id, results, number, server });
      plays.set(id, play);
      const checking = repeat(
        checkMs,
        () => play.check(jobs, (positions) => askFor(play, positions, jobOf)),
        () => undefined,
      );
      const asking = presence
        .hold(id, holdMs)
        .then(() => askFor(play, [...requests.keys()], jobOf))
        .catch(play.fail);
      try {
        return await play.ended;
      } finally {
        signal?.removeEventListener("abort", onAbort);
        plays.delete(id);
        await server.shut(number);
        await inTime(async () => {
          await asking;
          await checking.stop();
          // workers leave off what nobody holds; what none of them has begun is taken back
          await presence.letGo(id);
          await Promise.all(play.outstanding().map((position) => jobs.remove(play.jobId(position))));
        });
      }
    },
    async close() {
      failAll(new AttuneError("usage", `queue "${queue}": closed while episodes were outstanding`));
      clearInterval(watch);
      await server.close();
      await inTime(async () => {
        await looking.stop();
        await receiver.close();
        await resultQueue.obliterate({ force: true });
        await Promise.all([jobs.close(), resultQueue.close()]);
      });
      redis.disconnect();
    },
  };
}

/** The jobs of a rollout, by the positions of its requests. */
function jobsOf(
  { environments, requests, policy, limits, retry = { attempts: 1 } }: Rollout,
  about: { run: string; play: string; results: string; number: number; server: PolicyServer },
): (position: number) => unknown {
  const { run, play, results, number, server } = about;
  const limitsByName = new Map(
    environments.map((environment) => [environment.name, resolveLimits(environment.limits, limits)]),
  );
  const { name, version, contextLength } = policy;
  const same: Omit<EpisodeJob, "request" | "limits"> = {
    format: 1,
    run,
    play,
    results,
    retry: resolveRetry(retry),
    policy: { url: server.url, key: server.key, number, version, name, contextLength },
  };
  return (position) => {
    const request = requests[position]!;
    const { task } = request;
    const resolved = limitsByName.get(task.environment);
    if (!resolved)
      throw new AttuneError(
        "usage",
        `task ${task.id} is of environment "${task.environment}", which is not part of this rollout`,
      );
    return encodeJob({ ...same, request, limits: resolved });
  };
}

/** Tidies up as far as Redis answers; what is left there expires, or is dropped by the worker that finds it. */
async function inTime(work: () => Promise<void>): Promise<void> {
  await Promise.resolve(within(work, { milliseconds: goodbyeMs })).catch(() => undefined);
}
