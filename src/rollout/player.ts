import type { Environment, Player, RolloutLimits } from "../spec/environment.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { type Grade, playEpisode } from "./episode.ts";
import { resolveLimits } from "./limits.ts";
import { playOwn } from "./own-loop.ts";
import { playerSpeaker } from "./speaker.ts";

/** Plays an episode with a player that speaks in messages (an expert, a null or random player). */
export function playWithPlayer({
  environment,
  request,
  player,
  playerName,
  limits,
  grade,
  renderer,
  attempt,
  signal,
}: {
  environment: Environment;
  request: EpisodeRequest;
  player: Player;
  playerName: string;
  limits?: Partial<RolloutLimits>;
  grade: Grade;
  /**
   * Fills in tokens as they are played; without it, and in an agent's own loop, they are left out and can be added
   * later.
   */
  renderer?: Renderer;
  /** 0 first; higher where the world failed and the episode is played again, with a player made anew. */
  attempt?: number;
  signal?: AbortSignal;
}): Promise<Trajectory> {
  const resolved = resolveLimits(environment.limits, limits);
  if (environment.play) {
    const speaker = { player, name: playerName };
    const stop = signal ?? new AbortController().signal;
    return playOwn(
      environment.play,
      { request, speaker, limits: resolved, attempt: attempt ?? 0, signal: stop },
      (played) => grade(played, environment),
    );
  }
  return playEpisode({
    environment,
    request,
    speaker: playerSpeaker(player, { name: playerName, renderer }),
    limits: resolved,
    grade,
    attempt,
    signal,
  });
}
