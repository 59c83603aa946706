/** What a clock stops for when time is up. */
export class DeadlineError extends Error {}

/** The longest that a timer can wait; a longer time, Infinity too, is taken for it. */
const longestMs = 2 ** 31 - 1;

type Stop = { reason: unknown };

/** What can hold others inside it: a run by its signal, an episode by its clock. */
type Outer = AbortSignal | Clock;

type Options = {
  milliseconds?: number | undefined;
  outer?: Outer | undefined;
  /** Told why it went off, before its signal fires. */
  onStop?: ((reason: unknown) => void) | undefined;
};

/**
 * Goes off when time is up (with a `DeadlineError`) or when what is around it stops (with that reason), unless it is
 * stopped before. Every turn and every call of a tool has one of its own, so it is made to be light: an
 * `AbortSignal`, which is dear, is made only for those who look at it, and clocks inside a clock are a list that
 * costs nothing but two links.
 */
export class Clock {
  #stopped: Stop | undefined;
  #onStop: ((reason: unknown) => void) | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #outer: Clock | undefined;
  #firstInside: Clock | undefined;
  #next: Clock | undefined;
  #previous: Clock | undefined;

  /** Lets it run. The process stays alive until it has gone off or is stopped. */
  start({ milliseconds, outer, onStop }: Options): this {
    this.#onStop = onStop;
    if (outer) this.#enter(clockOf(outer));
    if (milliseconds !== undefined && !this.#stopped)
      this.#timer = setTimeout(
        () => this.goOff(new DeadlineError(`took longer than ${milliseconds} ms`)),
        Math.min(milliseconds, longestMs),
      );
    return this;
  }

  /** Why it went off, if it did. */
  get stopped(): Stop | undefined {
    return this.#stopped;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }

  throwIfStopped(): void {
    if (this.#stopped) throw this.#stopped.reason;
  }

  /** Lets go of the timer and of what is around it; one that has not gone off never will. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#outer) this.#leave(this.#outer);
  }

  /** Tells whoever waits, the clocks inside it and its signal, in this order; once. */
  goOff(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.stop();
    this.#onStop?.(reason);
    while (this.#firstInside) this.#firstInside.goOff(reason);
    this.#controller?.abort(reason);
  }

  #enter(outer: Clock): void {
    if (outer.#stopped) {
      this.goOff(outer.#stopped.reason);
      return;
    }
    this.#outer = outer;
    this.#next = outer.#firstInside;
    if (this.#next) this.#next.#previous = this;
    outer.#firstInside = this;
  }

  #leave(outer: Clock): void {
    if (this.#previous) this.#previous.#next = this.#next;
    else outer.#firstInside = this.#next;
    if (this.#next) this.#next.#previous = this.#previous;
    this.#previous = undefined;
    this.#next = undefined;
    this.#outer = undefined;
  }
}

/**
 * Waits for work that may hang. When time is up or what is around it stops, the wait ends with that reason and the
 * work is abandoned: its clock tells it so, and what becomes of it is heard by nobody. Work that is done at once is
 * not waited for: its result comes back, or its error is thrown, as it is.
 */
export function within<Result>(
  work: (clock: Clock) => Result | Promise<Result>,
  { milliseconds, outer }: { milliseconds?: number; outer?: Outer | undefined },
): Result | Promise<Result> {
  const around = outer && clockOf(outer);
  around?.throwIfStopped();
  // without a time of its own, work stops when what is around it does: its signal need not be another
  const own = milliseconds === undefined ? undefined : new Clock();
  const running = work(own ?? around ?? new Clock());
  if (!isPromise(running)) return running;
  return new Promise((resolve, reject) => {
    const clock = (own ?? new Clock()).start({ milliseconds, outer: around, onStop: reject });
    running.then(
      (result) => {
        clock.stop();
        resolve(result);
      },
      (error: unknown) => {
        clock.stop();
        reject(error as Error);
      },
    );
  });
}

/** Whether something has to be waited for. */
export function isPromise<Result>(value: Result | Promise<Result>): value is Promise<Result> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

const clocks = new WeakMap<AbortSignal, Clock>();

/**
 * The clock that goes off with a signal. A signal looks through all of its listeners to add or remove one, and
 * thousands of episodes share one signal, so it gets one listener for all.
 */
function clockOf(outer: Outer): Clock {
  if (outer instanceof Clock) return outer;
  let clock = clocks.get(outer);
  if (!clock) {
    const made = new Clock();
    if (outer.aborted) made.goOff(outer.reason);
    else outer.addEventListener("abort", () => made.goOff(outer.reason), { once: true });
    clocks.set(outer, made);
    clock = made;
  }
  return clock;
}
