import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "../kit/random.ts";

export type RetryOptions = {
  /** Tries after the first. */
  retries: number;
  /** Milliseconds before the second try; each later wait is twice as long. */
  firstDelayMs?: number;
  /** Milliseconds a wait is at most. */
  mostDelayMs?: number;
  /** Decides the jitter, which spreads clients that were refused together. */
  seed: number;
  signal: AbortSignal;
  /** Whether the same work may be tried again after this error without doing anything twice. */
  mayRetry(error: unknown): boolean;
};

/** Tries work again with exponential back-off and jitter, as long as that is safe and tries are left. */
export async function withRetry<Result>(
  work: () => Promise<Result>,
  { retries, firstDelayMs = 250, mostDelayMs = 5000, seed, signal, mayRetry }: RetryOptions,
): Promise<Result> {
  const random = createRandom(seed);
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || attempt >= retries || !mayRetry(error)) throw error;
      const milliseconds = Math.min(mostDelayMs, firstDelayMs * 2 ** attempt) * (0.5 + random.next() / 2);
      await delay(milliseconds, undefined, { signal });
    }
  }
}
