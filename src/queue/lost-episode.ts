import { AttuneError, type AttuneErrorKind } from "../spec/error.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";

const kinds: readonly AttuneErrorKind[] = ["usage", "input", "environment", "engine", "no_learning", "io"];

/** As a job's last words: `[kind] message`. */
export function writeFailure(error: unknown, kind: AttuneErrorKind, place: string): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return `[${kind}] ${message.split("\n", 1)[0]!} (${place})`;
}

/**
 * Why a job was given up. One that cost too many workers, which BullMQ says in words of its own, is the world's
 * failure; one whose last words cannot be read is the engine's.
 */
export function readFailure(reason: string | undefined): AttuneError {
  const [, kind, message] = /^\[(\w+)\] (.*)$/s.exec(reason ?? "") ?? [];
  const known = kinds.find((each) => each === kind);
  if (known) return new AttuneError(known, message!);
  if (reason?.includes("stalled"))
    return new AttuneError("environment", "every worker that played it was lost; it was given up");
  return new AttuneError("engine", reason || "a worker failed without a word");
}

/** What is known of an episode that no worker could play: it has no reward, and nobody learns from it. */
export function lostEpisode(request: EpisodeRequest, player: string, error: string): Trajectory {
  const { task, step, group, sample, seed } = request;
  return {
    format: 1,
    id: `${group}/${sample}`,
    player,
    step,
    group,
    sample,
    attempt: 0,
    seed,
    task,
    tools: [],
    nodes: [],
    calls: [],
    status: "environment_error",
    error,
    rewards: {},
    reward: null,
    timing: { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 },
  };
}
