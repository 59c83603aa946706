import type { RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";

export const limitDefaults: RolloutLimits = {
  turns: 8,
  tokensPerTurn: 256,
  tokens: 8192,
  toolCalls: 32,
  observationCharacters: 4000,
  toolTimeoutMs: 10_000,
  wallTimeMs: 300_000,
  invalidTurns: 1,
};

/** Later limits win: what the run says over what the environment says over the defaults. */
export function resolveLimits(...given: readonly (Partial<RolloutLimits> | undefined)[]): RolloutLimits {
  const limits: RolloutLimits = Object.assign({}, limitDefaults, ...given);
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0))
      throw new AttuneError("usage", `limit ${name}: expected a number above 0, got ${value}`);
  }
  return limits;
}
