import { AttuneError } from "../../spec/error.ts";

/** Gives a place back; calling it again does nothing. */
export type Release = () => void;

/** Places for sessions that are open at a time; who finds none waits in line. */
export function createSlots(limit: number): {
  take(options: { signal: AbortSignal; timeoutMs: number }): Promise<Release>;
} {
  let free = limit;
  const line: (() => void)[] = [];

  const released = (): Release => {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      const next = line.shift();
      if (next) next();
      else free++;
    };
  };

  return {
    async take({ signal, timeoutMs }) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return released();
      }
      return new Promise<Release>((resolve, reject) => {
        const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        const giveUp = () => {
          line.splice(line.indexOf(enter), 1);
          reject(
            signal.aborted
              ? (signal.reason as Error)
              : new AttuneError(
                  "environment",
                  `openEnv: no session became free within ${timeoutMs} ms, ${limit} at a time are allowed`,
                ),
          );
        };
        const enter = () => {
          either.removeEventListener("abort", giveUp);
          resolve(released());
        };
        either.addEventListener("abort", giveUp, { once: true });
        line.push(enter);
      });
    },
  };
}
