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
  const unfollow = signal && onAbort(signal, () => controller.abort(signal.reason));
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      unfollow?.();
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

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal fires, or at once if it has; returns how to take that back. A signal looks through all of
 * its listeners to add or remove one, and thousands of episodes share one signal, so it gets one listener for all.
 */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  let callbacks = listeners.get(signal);
  if (!callbacks) {
    const added = new Set<() => void>();
    const tellAll = () => {
      for (const tell of added) tell();
    };
    signal.addEventListener("abort", tellAll, { once: true });
    listeners.set(signal, added);
    callbacks = added;
  }
  callbacks.add(callback);
  return () => listeners.get(signal)?.delete(callback);
}
