// The one loop that plays a task, and many of them at once. Read episode.ts first, then rollout.ts.
export { type Episode, type Grade, playEpisode } from "./episode.ts";
export { type DroppedGroup, repairGroups, toGroups, toRequests } from "./groups.ts";
export { limitDefaults, resolveLimits } from "./limits.ts";
export { playWithPlayer } from "./player.ts";
export {
  playWithRetries,
  type RetryBudget,
  resolveRetry,
  retryDefaults,
  worldFailed,
} from "./retry.ts";
export { type Rollout, rollout } from "./rollout.ts";
export { playerSpeaker, policySpeaker, type Speaker, type Utterance } from "./speaker.ts";
export { tokenizeTrajectory } from "./tokenize.ts";
