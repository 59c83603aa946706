/** Work that is done again and again until it is stopped. */
export type Repeating = {
  /** Waits for what is under way; nothing is begun after it. */
  stop(): Promise<void>;
};

/** Does the work, waits, does it again. What fails is told, and tried again after the same wait. */
export function repeat(
  waitMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Repeating {
  let stopped = false;
  let wake: () => void = () => undefined;
  const loop = async () => {
    while (!stopped) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (stopped) return;
      try {
        await work();
      } catch (error) {
        onError(error);
      }
    }
  };
  const running = loop();
  return {
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
