import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Job, Queue } from "bullmq";
import { watchSessions } from "../environment/watch-sessions.ts";
import { DeadlineError, within } from "../rollout/deadline.ts";
import type { Grade } from "../rollout/episode.ts";
import { rollout } from "../rollout/rollout.ts";
import type { Environment } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Policy } from "../spec/policy.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { writeFailure } from "./lost-episode.ts";
import { type Presence, presenceOf } from "./presence.ts";
import { checkQueueName, connectRedis, keyPrefix, loadQueueLibraries } from "./redis.ts";
import { fetchRendererFiles, remotePolicy, StalePolicyError } from "./remote-policy.ts";
import { repeat } from "./repeat.ts";
import { decodeJob, type EpisodeJob, encodeResult } from "./wire.ts";

export type WorkerOptions = {
  /** `redis://…` */
  redis: string;
  /** Name of the queue, which is that of the run's config. */
  queue: string;
  environments: readonly Environment[];
  grade: Grade;
  /** Makes the renderer from the texts that the trainer serves. */
  renderer(files: Readonly<Record<string, string>>): Renderer;
  /**
   * Who takes the assistant's turns. Absent, the trainer's own policy, over HTTP. One whose version is not the job's
   * plays nothing: the job goes back for another worker.
   */
  policyFor?(wanted: EpisodeJob["policy"]): Promise<{ policy: Policy; renderer: Renderer }>;
  /** Episodes played at the same time. */
  slots?: number;
  /**
   * Milliseconds for which a job is a worker's own without a sign of life; one that says nothing for so long is taken
   * for dead, and its episodes are given to others within twice the time.
   */
  leaseMs?: number;
  onEvent?(event: WorkerEvent): void;
};

export type WorkerEvent =
  | { type: "played"; id: string; status: Trajectory["status"]; reward: number | null; seconds: number }
  /** The episode is not wanted any more, or the lease on it was lost. */
  | { type: "dropped"; reason: string }
  /** The job will be tried again, here or elsewhere. */
  | { type: "failed"; reason: string }
  /** Something is wrong with the queue (Redis cannot be reached), and is tried again. */
  | { type: "trouble"; reason: string };

export type RunningWorker = {
  id: string;
  /** Takes no more jobs and waits for what is under way, or hands it back for others to play when `now` is set. */
  close(options?: { now?: boolean }): Promise<void>;
};

/** Workers that an episode may cost before it is given up as one that breaks them. */
const mostLost = 5;

class DroppedError extends Error {}

/** The episode is still wanted, and this worker is not the one to play it. */
class HandedBackError extends Error {}

/** Milliseconds that a worker takes at most to say goodbye, when Redis does not answer. */
const goodbyeMs = 5000;

/**
 * Plays the episodes of whoever trains with the same queue, until it is closed. Results go back through the queue; a
 * job whose worker dies is played by another from its own seeds. Throws `AttuneError`: `usage` for options, `io` where
 * Redis cannot be reached.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { slots = 8, leaseMs = 15_000, onEvent = () => undefined } = options;
  for (const [name, value] of Object.entries({ slots, leaseMs }))
    if (!Number.isInteger(value) || value < 1)
      throw new AttuneError("usage", `worker: ${name}: expected a whole number above 0, got ${value}`);
  const queue = checkQueueName(options.queue);
  const { bullmq } = await loadQueueLibraries();
  const redis = await connectRedis(options.redis);
  const id = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const presence = presenceOf(redis, queue);
  const active = new Map<string, { play: string; controller: AbortController }>();
  const results = new Map<string, Queue>();
  const resultsOf = (name: string): Queue => {
    let known = results.get(name);
    if (!known) {
      known = new bullmq.Queue(name, { connection: redis, prefix: keyPrefix });
      known.on("error", (error) => onEvent({ type: "trouble", reason: reasonOf(error) }));
      results.set(name, known);
    }
    return known;
  };
  const renderers = new Map<string, Promise<Renderer>>();
  const rendererOf = (wanted: EpisodeJob["policy"], signal: AbortSignal): Promise<Renderer> => {
    const known = renderers.get(wanted.key);
    if (known) return known;
    const made = fetchRendererFiles(wanted, signal).then((files) => options.renderer(files));
    renderers.set(wanted.key, made);
    made.catch(() => renderers.delete(wanted.key));
    return made;
  };
  const policyFor = async (wanted: EpisodeJob["policy"], signal: AbortSignal) => {
    const given = await options.policyFor?.(wanted);
    if (given) return given;
    const renderer = await rendererOf(wanted, signal);
    return { policy: remotePolicy(wanted, renderer.tokenizer), renderer };
  };

  const take = async (job: Job, token?: string): Promise<void> => {
    const controller = new AbortController();
    try {
      const episode = decodeJob(job.data);
      active.set(job.id!, { play: episode.play, controller });
      await requireWanted(presence, episode.play);
      const { signal } = controller;
      const player = await policyFor(episode.policy, signal);
      const startedAt = performance.now();
      const result = await playJob(episode, { ...options, ...player, signal });
      // nobody reads what is left in a queue that nobody holds
      await requireWanted(presence, episode.play);
      const made = encodeResult({ ...result, worker: id, starts: job.attemptsStarted });
      await resultsOf(episode.results).add("result", made, { removeOnComplete: true, removeOnFail: true });
      const { trajectory } = result;
      const seconds = (performance.now() - startedAt) / 1000;
      onEvent({
        type: "played",
        id: trajectory.id,
        status: trajectory.status,
        reward: trajectory.reward,
        seconds,
      });
    } catch (error) {
      const reason = reasonOf(controller.signal.aborted ? controller.signal.reason : error);
      if (controller.signal.reason instanceof HandedBackError) {
        await job.moveToDelayed(Date.now(), token);
        throw new bullmq.DelayedError(reason);
      }
      if (controller.signal.aborted || error instanceof DroppedError || error instanceof StalePolicyError) {
        onEvent({ type: "dropped", reason });
        return;
      }
      onEvent({ type: "failed", reason });
      const late = error instanceof DeadlineError ? "environment" : "engine";
      const kind = error instanceof AttuneError ? error.kind : late;
      throw new Error(writeFailure(error, kind, `${hostname()}, process ${process.pid}`), { cause: error });
    } finally {
      active.delete(job.id!);
    }
  };

  const worker = new bullmq.Worker(queue, take, {
    connection: redis,
    prefix: keyPrefix,
    concurrency: slots,
    lockDuration: leaseMs,
    stalledInterval: Math.max(50, Math.floor(leaseMs / 2)),
    maxStalledCount: mostLost,
  });
  worker.on("error", (error) => onEvent({ type: "trouble", reason: reasonOf(error) }));
  worker.on("lockRenewalFailed", (jobs) => {
    for (const job of jobs) active.get(job)?.controller.abort(new DroppedError("the lease was lost"));
  });

  const card = { id, host: hostname(), pid: process.pid, slots };
  const beatMs = Math.max(100, Math.min(2000, Math.floor(leaseMs / 4)));
  await presence.beat(card, 4 * beatMs);
  const beating = repeat(
    beatMs,
    async () => {
      await presence.beat(card, 4 * beatMs);
      const plays = [...new Set([...active.values()].map(({ play }) => play))];
      const held = await presence.held(plays);
      for (const { play, controller } of active.values())
        if (plays.includes(play) && !held.has(play))
          controller.abort(new DroppedError("nobody waits for the episode any more"));
    },
    (error) => onEvent({ type: "trouble", reason: reasonOf(error) }),
  );

  return {
    id,
    async close({ now = false } = {}) {
      if (now)
        for (const { controller } of active.values())
          controller.abort(new HandedBackError("the worker was closed"));
      await worker.pause(true);
      // an episode under way may take as long as its limits let it; Redis may not
      while (!now && active.size > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      const goodbye = async () => {
        await worker.close();
        await beating.stop();
        await presence.leave(id);
        await Promise.all([...results.values()].map((each) => each.close()));
      };
      try {
        await within(goodbye, { milliseconds: goodbyeMs });
      } catch (error) {
        onEvent({ type: "trouble", reason: reasonOf(error) });
      } finally {
        redis.disconnect();
      }
    },
  };
}

/** Plays the episode of a job as the trainer would, with the seeds and limits that it says. */
async function playJob(
  { request, limits, retry, policy: wanted, run, play }: EpisodeJob,
  {
    environments,
    grade,
    policy,
    renderer,
    signal,
  }: Pick<WorkerOptions, "environments" | "grade"> & {
    policy: Policy;
    renderer: Renderer;
    signal: AbortSignal;
  },
) {
  const environment = environments.find(({ name }) => name === request.task.environment);
  if (!environment)
    throw new AttuneError(
      "usage",
      `this worker knows no environment "${request.task.environment}", only ${environments.map(({ name }) => name).join(", ")}: expected the config of the run`,
    );
  if (policy.version !== wanted.version)
    throw new AttuneError(
      "usage",
      `this worker's policy is version ${policy.version}, expected ${wanted.version}`,
    );
  const { watched, count, openByTool } = watchSessions(environment);
  const thrownAway: Trajectory[] = [];
  // an episode ends by its own clock; one that cannot be ended must not hold its lease for ever
  const milliseconds = retry.attempts * (limits.wallTimeMs + 30_000) + retry.totalMs;
  const [trajectory] = await within(
    (clock) =>
      rollout({
        environments: [watched],
        requests: [request],
        policy,
        renderer,
        limits,
        retry,
        grade,
        concurrency: 1,
        order: "free",
        signal: clock.signal,
        onRetry: (thrown) => thrownAway.push(thrown),
      }),
    { milliseconds, outer: signal },
  );
  const leaked = count.opened - count.closed;
  return {
    run,
    play,
    policyVersion: policy.version,
    sessions: { environment: environment.name, opened: count.opened, leaked, leakedByTool: openByTool() },
    trajectory: trajectory!,
    thrownAway,
  };
}

async function requireWanted(presence: Presence, play: string): Promise<void> {
  const held = await presence.held([play]);
  if (!held.has(play)) throw new DroppedError("nobody waits for the episode any more");
}

function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.split("\n", 1)[0]!;
}
