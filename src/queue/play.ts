import type { Job, Queue } from "bullmq";
import type { Played, SessionsElsewhere } from "../rollout/driver.ts";
import type { Rollout } from "../rollout/rollout.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { createLedger } from "./ledger.ts";
import { lostEpisode, readFailure } from "./lost-episode.ts";
import { decodeResult } from "./wire.ts";

/** Results that make no sense before a play is given up: workers of another version, or somebody else's queue. */
const mostRefused = 5;

/** One rollout as the trainer's side sees it, from the first job to the last result. */
export type Play = {
  /** Resolves when every episode is booked; rejects with why none will be. */
  ended: Promise<Played>;
  fail(error: unknown): void;
  /** Books what a worker sent. Never throws: what makes no sense is counted. */
  receive(data: unknown): void;
  /**
   * Looks after the jobs without a result: those that failed for good are booked or end the play, those that Redis has
   * forgotten (it was started anew, or cleared) are given to `again`.
   */
  check(jobs: Queue, again: (positions: readonly number[]) => Promise<void>): Promise<void>;
  jobId(position: number): string;
  outstanding(): number[];
};

export function beginPlay({
  id,
  run,
  options,
  attempts,
}: {
  id: string;
  run: string;
  options: Rollout;
  attempts: number;
}): Play {
  const { requests, policy, onEpisode, onRetry } = options;
  const ledger = createLedger({
    run,
    play: id,
    requests,
    policyVersion: policy.version,
    vocabularySize: policy.tokenizer.vocabularySize,
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<Played>();
  const counts = { duplicates: 0, refused: 0, replayed: 0, lost: 0 };
  const sessions = new Map<string, SessionsElsewhere>();
  let missing = new Set<number>();
  const jobId = (position: number) => `${id}.${position}`;

  const booked = (trajectory: Trajectory, thrownAway: readonly Trajectory[]) => {
    try {
      for (const thrown of thrownAway) onRetry?.(thrown);
      onEpisode?.(trajectory);
    } catch (error) {
      reject(error as Error);
    }
    if (!ledger.isComplete()) return;
    resolve({
      trajectories: ledger.trajectories(),
      sessions: [...sessions.values()],
      metrics: Object.fromEntries(Object.entries(counts).map(([name, value]) => [`workers/${name}`, value])),
    });
  };

  const giveUp = async (job: Job, position: number) => {
    const request = requests[position]!;
    const { kind, message } = readFailure(job.failedReason);
    // what is nobody's weather stops the run, as it would if it had happened here
    if (kind !== "environment") {
      reject(
        new AttuneError(
          kind,
          `episode ${request.group}/${request.sample}, tried ${attempts} times: ${message}`,
        ),
      );
      return;
    }
    await job.remove();
    const trajectory = lostEpisode(request, policy.name, message);
    if (!ledger.giveUp(position, trajectory)) return;
    counts.lost++;
    booked(trajectory, []);
  };

  return {
    ended,
    fail: reject,
    jobId,
    outstanding: ledger.outstanding,
    receive(data) {
      try {
        const result = decodeResult(data);
        const { trajectory, first } = ledger.accept(result);
        if (!first) {
          counts.duplicates++;
          return;
        }
        if (result.starts > 1) counts.replayed++;
        sessions.set(
          result.sessions.environment,
          sum(sessions.get(result.sessions.environment), result.sessions),
        );
        booked(trajectory, result.thrownAway);
      } catch (error) {
        if (++counts.refused >= mostRefused) reject(error as Error);
      }
    },
    async check(jobs, again) {
      const gone: number[] = [];
      await Promise.all(
        ledger.outstanding().map(async (position) => {
          const state = await jobs.getJobState(jobId(position));
          if (state === "unknown" || state === "completed") gone.push(position);
          if (state !== "failed") return;
          const job = await jobs.getJob(jobId(position));
          if (job) await giveUp(job, position);
        }),
      );
      // the result of one that has only just gone may still be on its way
      const forgotten = gone.filter((position) => missing.has(position) && !ledger.isBooked(position));
      missing = new Set(gone.filter((position) => !forgotten.includes(position)));
      if (forgotten.length > 0) await again(forgotten);
    },
  };
}

function sum(before: SessionsElsewhere | undefined, more: SessionsElsewhere): SessionsElsewhere {
  if (!before) return more;
  const leakedByTool: Record<string, number> = { ...before.leakedByTool };
  for (const [tool, count] of Object.entries(more.leakedByTool))
    leakedByTool[tool] = (leakedByTool[tool] ?? 0) + count;
  return {
    environment: before.environment,
    opened: before.opened + more.opened,
    leaked: before.leaked + more.leaked,
    leakedByTool,
  };
}
