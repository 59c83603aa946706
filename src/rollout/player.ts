import type { Environment, Player, RolloutLimits } from "../spec/environment.ts";
import type { Renderer } from "../spec/tokenizer.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { type Grade, playEpisode } from "./episode.ts";
import { resolveLimits } from "./limits.ts";
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
  /** Fills in tokens as they are played; without it they are empty and `tokenizeTrajectory` can add them. */
  renderer?: Renderer;
  /** 0 first; higher where the world failed and the episode is played again, with a player made anew. */
  attempt?: number;
  signal?: AbortSignal;
}): Promise<Trajectory> {
  return playEpisode({
    environment,
    request,
    speaker: playerSpeaker(player, { name: playerName, renderer }),
    limits: resolveLimits(environment.limits, limits),
    grade,
    attempt,
    signal,
  });
}
