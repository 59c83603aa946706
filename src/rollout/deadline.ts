/** What a clock's signal carries when time is up. */
export class DeadlineError extends Error {}

/** The longest that a timer can wait; a longer time, Infinity too, is taken for it. */
const longestMs = 2 ** 31 - 1;

export type Clock = {
  /** Fires with a `DeadlineError` when time is up, or with the outer signal's reason when that fires first. */
  signal: AbortSignal;
  /** Lets go of the timer and the outer signal; a signal that has not fired never will. */
  stop(): void;
};

/** Starts a clock that keeps the process alive until it fires or is stopped. */
export function startClock({ milliseconds, signal }: { milliseconds?: number; signal?: AbortSignal }): Clock {
  const controller = new AbortController();
  const timer =
    milliseconds === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new DeadlineError(`took longer than ${milliseconds} ms`)),
          Math.min(milliseconds, longestMs),
        );
  const follow = () => controller.abort(signal!.reason);
  if (signal?.aborted) follow();
  else signal?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", follow);
    },
  };
}

/**
 * Waits for work that may hang. When time is up or the signal fires, the wait ends with that reason and the work is
 * abandoned: its own signal tells it so, and what becomes of it is heard by nobody.
 */
export async function within<Result>(
  work: (signal: AbortSignal) => Result | Promise<Result>,
  options: { milliseconds?: number; signal?: AbortSignal },
): Promise<Result> {
  const clock = startClock(options);
  try {
    clock.signal.throwIfAborted();
    // listens before the work can, so that the reason for stopping is heard before what the work makes of it
    const stopped = new Promise<never>((_, reject) => {
      clock.signal.addEventListener("abort", () => reject(clock.signal.reason as Error), { once: true });
    });
    const running = (async () => work(clock.signal))();
    return await Promise.race([stopped, running]);
  } finally {
    clock.stop();
  }
}
