import { createLogUpdate } from "log-update";
import { duration } from "./format.ts";

export type CountedDisplay = {
  show(progress: { done: number; total: number; note: string }): void;
  stop(): void;
};

/** How far counted work is and how long the rest will take: one live line on a terminal, a line now and then elsewhere. */
export function createCountedDisplay({
  stream,
  live,
  what,
}: {
  stream: NodeJS.WriteStream;
  live: boolean;
  what: string;
}): CountedDisplay {
  const start = performance.now();
  const update = live ? createLogUpdate(stream) : undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show({ done, total, note }) {
      const now = performance.now();
      if (done < total && now - shownAt < (live ? 100 : 5000)) return;
      shownAt = now;
      const secondsLeft = done === 0 ? undefined : ((now - start) / 1000 / done) * (total - done);
      const parts = [`${done}/${total} ${what}`];
      if (secondsLeft !== undefined && done < total) parts.push(`${duration(secondsLeft)} left`);
      if (note !== "") parts.push(note);
      const line = parts.join(" · ");
      if (update) update(line);
      else stream.write(`${line}\n`);
    },
    stop: () => update?.done(),
  };
}
