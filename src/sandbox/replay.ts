import { AttuneError } from "../spec/error.ts";
import {
  type Execution,
  type Sandbox,
  SandboxError,
  type SandboxLanguage,
  type SandboxLimits,
  type SandboxSnapshot,
  type SandboxStep,
} from "../spec/sandbox.ts";
import { type Guest, GuestGone, isRun } from "./guest.ts";
import { checkContent, homePath, noFile } from "./paths.ts";

/** Steps that are kept, and characters of them in all: taking them again must stay cheap. */
const most = { steps: 1000, characters: 4 * 1024 * 1024 };
/** Guests that one call may use up by no fault of its own. */
const mostTries = 5;

/**
 * A sandbox over interpreters that may have to be killed. What was run is remembered; after a kill the steps are taken
 * again in a fresh interpreter, so that a run that was stopped has changed nothing. That holds because a guest's clock
 * and random numbers repeat. Nothing is opened before the first use.
 */
export function createReplayingSandbox(options: {
  language: SandboxLanguage;
  limits: SandboxLimits;
  openGuest: (signal?: AbortSignal) => Promise<Guest>;
  snapshot: SandboxSnapshot;
  onClose: () => void;
}): Sandbox {
  const { language, limits, openGuest, onClose } = options;
  if (options.snapshot.language !== language)
    throw new AttuneError(
      "input",
      `sandbox snapshot: got one of ${options.snapshot.language}, expected ${language}`,
    );
  const steps: SandboxStep[] = [
    ...Object.entries(options.snapshot.files).map(([path, content]) => ({ path: homePath(path), content })),
    ...options.snapshot.steps,
  ];
  let size = steps.reduce((sum, step) => sum + sizeOf(step), 0);
  let guest: Guest | undefined;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  const refuseClosed = () => {
    if (closed) throw new SandboxError("crashed", "the sandbox is closed");
  };
  const remember = (step: SandboxStep) => {
    steps.push(step);
    size += sizeOf(step);
  };
  const checkRoom = (step: SandboxStep) => {
    if (steps.length >= most.steps || size + sizeOf(step) > most.characters)
      throw new SandboxError(
        "denied",
        `the sandbox is full: at most ${most.steps} runs and writes of ${most.characters} characters`,
      );
  };
  const drop = () => {
    guest?.drop();
    guest = undefined;
  };
  const makeReady = async (signal?: AbortSignal): Promise<Guest> => {
    if (guest) return guest;
    guest = await openGuest(signal);
    for (const step of steps) {
      if (isRun(step)) await guest.exec(step.code, { signal });
      else await guest.write(step.path, step.content);
    }
    return guest;
  };
  const lost = (error: unknown) =>
    new AttuneError("environment", `sandbox of ${language}: its state could not be made again`, {
      cause: error,
    });
  /**
   * Works with a guest in the present state. One that somebody else's run has killed is made anew; one in which
   * something went wrong is not used again.
   */
  const using = async <Result>(
    work: (guest: Guest) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> => {
    for (let tries = 1; ; tries++) {
      let made = false;
      try {
        const ready = await makeReady(signal);
        made = true;
        return await work(ready);
      } catch (error) {
        drop();
        const gone = error instanceof GuestGone;
        if (gone && tries < mostTries) continue;
        signal?.throwIfAborted();
        if (gone || (!made && error instanceof SandboxError)) throw lost(error);
        throw error;
      }
    }
  };
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(() => {
      refuseClosed();
      return work();
    });
    last = result.catch(() => {});
    return result;
  };
  return {
    language,
    limits,
    exec: (code, { signal } = {}) =>
      inTurn(async (): Promise<Execution> => {
        signal?.throwIfAborted();
        checkRoom({ code });
        const execution = await using((guest) => guest.exec(code, { signal }), signal);
        remember({ code });
        return execution;
      }),
    read: (path) =>
      inTurn(async () => {
        const home = homePath(path);
        const content = await using((guest) => guest.read(home));
        if (content === null) throw noFile(path);
        return content;
      }),
    write: (path, content) =>
      inTurn(async () => {
        const step = { path: homePath(path), content };
        checkContent(step.path, content);
        checkRoom(step);
        await using((guest) => guest.write(step.path, content));
        remember(step);
      }),
    snapshot: () => inTurn(async () => ({ language, files: {}, steps: [...steps] })),
    async close() {
      if (closed) return;
      closed = true;
      drop();
      onClose();
    },
  };
}

const sizeOf = (step: SandboxStep) => (isRun(step) ? step.code.length : step.content.length);
