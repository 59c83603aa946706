import { createRandom, deriveSeed } from "../kit/random.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { Clock } from "./deadline.ts";

/** What may be spent on an episode whose world fails. */
export type RetryBudget = {
  /** Attempts at an episode, the first one included. */
  attempts: number;
  /** Milliseconds since the first attempt began after which no other is begun. */
  totalMs: number;
  /** Milliseconds before the second attempt at most; each later wait is twice as long. */
  firstDelayMs: number;
  /** Milliseconds that a wait is at most. */
  mostDelayMs: number;
};

export const retryDefaults: RetryBudget = {
  attempts: 3,
  totalMs: 600_000,
  firstDelayMs: 200,
  mostDelayMs: 10_000,
};

/** The budget with its defaults. Throws `AttuneError` (usage) for a name or a value that makes no sense. */
export function resolveRetry(given: Partial<RetryBudget> = {}): RetryBudget {
  const budget = { ...retryDefaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(retryDefaults, name))
      throw new AttuneError(
        "usage",
        `retry ${name}: there is no such setting; there are ${Object.keys(retryDefaults).join(", ")}`,
      );
    if (value === undefined) continue;
    const least = name === "attempts" ? 1 : 0;
    if (!(value >= least) || (name === "attempts" && !Number.isInteger(value)))
      throw new AttuneError("usage", `retry ${name}: expected a number of ${least} or more, got ${value}`);
    budget[name as keyof RetryBudget] = value;
  }
  return budget;
}

/** Whether an episode ended by its world's doing, so that it says nothing about who played. */
export function worldFailed({ status }: Pick<Trajectory, "status">): boolean {
  return status === "environment_error" || status === "timeout";
}

/**
 * Plays an episode again, each time in a new session, until its world holds or the budget is spent; the last attempt
 * is what comes back. Between attempts it waits, twice as long each time, less a random part, so that episodes which
 * failed together do not come back together. The wait is drawn from a seed of its own and the attempts' seeds stay
 * what they are: trying again shifts nobody's numbers and does not choose among the policy's ways to act.
 */
export async function playWithRetries(
  play: (attempt: number) => Promise<Trajectory>,
  options: {
    budget: RetryBudget;
    /** The episode's seed. */
    seed: number;
    signal?: AbortSignal;
    /** Told of every attempt that is thrown away. */
    onRetry?(thrownAway: Trajectory): void;
  },
): Promise<Trajectory> {
  const { budget, seed, signal, onRetry } = options;
  const startedAt = performance.now();
  for (let attempt = 0; ; attempt++) {
    const trajectory = await play(attempt);
    if (!worldFailed(trajectory) || attempt + 1 >= budget.attempts) return trajectory;
    const delayMs = retryDelayMs(attempt, { budget, seed });
    if (performance.now() - startedAt + delayMs >= budget.totalMs) return trajectory;
    await pause(delayMs, signal);
    if (signal?.aborted) return trajectory;
    onRetry?.(trajectory);
  }
}

/** Between half of and the whole of the doubled wait. */
export function retryDelayMs(
  failedAttempt: number,
  { budget, seed }: { budget: RetryBudget; seed: number },
): number {
  const random = createRandom(deriveSeed(seed, "retry", failedAttempt));
  const whole = Math.min(budget.mostDelayMs, budget.firstDelayMs * 2 ** failedAttempt);
  return whole * (0.5 + random.next() / 2);
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<unknown>((resolve) =>
    new Clock().start({ milliseconds, outer: signal, onStop: resolve }),
  );
}
