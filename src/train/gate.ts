import { checkEnvironment } from "../environment/health.ts";
import type { Play } from "../environment/health-report.ts";
import { playWithPlayer } from "../rollout/player.ts";
import type { Environment } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { ResolvedRun } from "./define-run.ts";
import { grade } from "./grade.ts";

/** Plays an episode of the health check as training would: the same loop, the same grading. */
export const checkPlay: Play = ({ environment, task, player, seed, attempt, limits }) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: `check-${task.id}`, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "check",
    ...(limits && { limits }),
    ...(attempt !== undefined && { attempt }),
    grade,
  });

/** The short form: a few tasks, a few sessions at once. */
const short = { tasks: 6, concurrency: 16, expertRequired: false } as const;

/** Every environment that a run plays in, its demonstrations' own included. */
export function environmentsOf({ environments, stages }: ResolvedRun): Environment[] {
  const demonstrated = stages.flatMap((stage) =>
    "sft" in stage && "count" in stage.sft.demonstrations
      ? (stage.sft.demonstrations.environments ?? [])
      : [],
  );
  return [...new Map([...environments, ...demonstrated].map((each) => [each.name, each])).values()];
}

/**
 * The short form of the health check on environments that are about to be learnt from. It draws from seeds of its
 * own, so that a run is the same with it and without. Throws `AttuneError` (environment) with the first finding.
 */
export async function requireHealthy(
  environments: readonly Environment[],
  signal?: AbortSignal,
): Promise<void> {
  for (const environment of environments) {
    signal?.throwIfAborted();
    const { ok, findings } = await checkEnvironment(environment, { play: checkPlay, ...short });
    if (!ok)
      throw new AttuneError(
        "environment",
        `environment "${environment.name}" is not healthy: ${findings[0]} (attune check tells more; --force trains all the same)`,
      );
  }
}
