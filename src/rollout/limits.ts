import type { RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Status } from "../spec/trajectory.ts";

export const limitDefaults: RolloutLimits = {
  turns: 8,
  tokensPerTurn: 256,
  tokens: 8192,
  toolCalls: 32,
  observationCharacters: 4000,
  toolTimeoutMs: 10_000,
  wallTimeMs: 300_000,
  unreadableTurns: 1,
  invalidTurns: 8,
};

/**
 * Later limits win: what the run says over what the environment says over the defaults. Infinity lifts a limit.
 * Throws for a name that is no limit and for a value that is not a whole number above 0.
 */
export function resolveLimits(...given: readonly (Partial<RolloutLimits> | undefined)[]): RolloutLimits {
  const limits: RolloutLimits = { ...limitDefaults };
  for (const [name, value] of given.flatMap((some) => Object.entries(some ?? {}))) {
    if (!Object.hasOwn(limitDefaults, name)) {
      const known = Object.keys(limitDefaults).join(", ");
      throw new AttuneError("usage", `limit ${name}: there is no such limit; there are ${known}`);
    }
    if (value === undefined) continue;
    const isWhole = Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
    if (!isWhole || value <= 0)
      throw new AttuneError("usage", `limit ${name}: expected a whole number above 0, got ${value}`);
    limits[name as keyof RolloutLimits] = value;
  }
  return limits;
}

/**
 * The limit that leaves no room for another turn, if one does: the first of context, tokens and turns. Wall time
 * needs no asking, it ends an episode wherever it is; tool calls are counted where they are asked for.
 */
export function reachedLimit(
  used: { turns: number; tokens: number },
  { limits, contextLength }: { limits: RolloutLimits; contextLength: number },
): { status: Status; error: string } | undefined {
  if (used.tokens >= contextLength)
    return { status: "context_overflow", error: `${used.tokens} tokens in a context of ${contextLength}` };
  if (used.tokens >= limits.tokens)
    return { status: "max_tokens", error: `${used.tokens} tokens, limit ${limits.tokens}` };
  if (used.turns >= limits.turns)
    return { status: "max_turns", error: `${used.turns} turns, limit ${limits.turns}` };
  return undefined;
}
