import type { GradeContext, RewardComponent } from "../../spec/environment.ts";
import type { RemoteOutcome } from "./remote-session.ts";

/**
 * The server's own reward, and as metrics whether it called the episode over, in how many steps, and the components it
 * names. A reward that never came is 0 for an agent that stopped before the end, and null where the server brought
 * the episode to its end without one.
 */
export function remoteRewards(
  components: readonly string[],
  total: "sum" | "last",
): Record<string, RewardComponent> {
  const own: Record<string, RewardComponent> = {
    reward: {
      weight: 1,
      grade: read((outcome) => outcome[total] ?? (outcome.done ? null : 0)),
    },
    done: { weight: 0, grade: read(({ done }) => (done ? 1 : 0)) },
    steps: { weight: 0, grade: read(({ steps }) => steps) },
  };
  const named = components
    .filter((name) => !Object.hasOwn(own, name))
    .map((name) => [
      name,
      { weight: 0, grade: read(({ rewards }) => (Object.hasOwn(rewards, name) ? rewards[name]! : null)) },
    ]);
  return { ...own, ...Object.fromEntries(named) };
}

const read =
  (value: (outcome: RemoteOutcome) => number | null) =>
  ({ outcome }: GradeContext): number | null =>
    outcome === undefined ? null : value(outcome as unknown as RemoteOutcome);
