import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "../../kit/random.ts";

export type Patience = {
  /** Tries after the first. */
  retries: number;
  /** Milliseconds that all tries and waits of one request may take together. */
  budgetMs: number;
  /** Milliseconds before the second try; each later wait is twice as long. */
  firstDelayMs: number;
  /** Milliseconds a wait is at most. */
  mostDelayMs: number;
};

/** What a try came to: done, or worth another one; `afterMs` is what the other side asked for. */
export type Try<Result> = { done: Result } | { again: Error; afterMs?: number };

/**
 * Tries until it is done, the tries are used up, or the next wait would pass the budget; then the last error is
 * thrown. Waits grow with jitter, which spreads clients that were refused together.
 */
export async function withPatience<Result>(
  attempt: () => Promise<Try<Result>>,
  {
    retries,
    budgetMs,
    firstDelayMs,
    mostDelayMs,
    seed,
    signal,
  }: Patience & { seed: number; signal: AbortSignal },
): Promise<Result> {
  const random = createRandom(seed);
  const start = performance.now();
  for (let count = 0; ; count++) {
    signal.throwIfAborted();
    const outcome = await attempt();
    if ("done" in outcome) return outcome.done;
    const own = Math.min(mostDelayMs, firstDelayMs * 2 ** count) * (0.5 + random.next() / 2);
    const waitMs = Math.max(own, outcome.afterMs ?? 0);
    if (count >= retries || performance.now() - start + waitMs > budgetMs) throw outcome.again;
    await delay(waitMs, undefined, { signal });
  }
}

/** Milliseconds of a `retry-after` header: seconds or a date. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  const milliseconds = text.trim() !== "" && seconds >= 0 ? seconds * 1000 : Date.parse(text) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
