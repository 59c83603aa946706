/** What `within` throws when time is up. */
export class DeadlineError extends Error {}

/**
 * Waits for work that may hang: after `milliseconds`, or when the signal fires, the wait ends and the work is
 * abandoned (its own signal tells it so). A promise that nobody waits for any more may fail unheard.
 */
export async function within<Result>(
  work: (signal: AbortSignal) => Result | Promise<Result>,
  { milliseconds, signal }: { milliseconds: number; signal?: AbortSignal },
): Promise<Result> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    signal?.throwIfAborted();
    const stopped = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new DeadlineError(`took longer than ${milliseconds} ms`)),
        milliseconds,
      );
      onAbort = () => reject(signal!.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
    stopped.catch(() => undefined);
    const running = Promise.resolve(work(controller.signal));
    running.catch(() => undefined);
    return await Promise.race([running, stopped]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener("abort", onAbort);
    controller.abort();
  }
}
