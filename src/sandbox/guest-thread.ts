import { Worker, type WorkerOptions } from "node:worker_threads";
import { AttuneError } from "../spec/error.ts";
import { SandboxError } from "../spec/sandbox.ts";
import { GuestGone, type GuestReply, type GuestRequest } from "./guest.ts";

type Question = GuestRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, "id">
    : never
  : never;

/** A thread that runs guests: one question at a time, and killed when one takes too long. */
export interface GuestThread {
  /**
   * Rejects with `SandboxError`: `timeout` (and the thread is gone) or `crashed`; with `AttuneError` (environment) where
   * the thread never came to run, which is nobody's code's doing. An aborted signal kills it too.
   */
  ask(question: Question, options: { timeMs: number; signal?: AbortSignal | undefined }): Promise<GuestReply>;
  /** Says something that needs no answer. */
  tell(question: Question): void;
  /** Fulfilled when it can be asked. */
  ready: Promise<void>;
  isAlive(): boolean;
  kill(): Promise<void>;
}

const watchEveryMs = 50;

/** Starts a thread that posts `"ready"` once, and then a reply for every request. */
export function startGuestThread(
  url: URL,
  {
    startTimeMs,
    mostExternalBytes = Number.POSITIVE_INFINITY,
    ...options
  }: WorkerOptions & {
    startTimeMs: number;
    /** Bytes beside the thread's heap (buffers, WebAssembly's memory), looked at while it is asked something. */
    mostExternalBytes?: number;
  },
): GuestThread {
  // no environment, no arguments, and nothing of the guest's on the host's own streams
  const worker = new Worker(url, { env: {}, argv: [], stdout: true, stderr: true, stdin: true, ...options });
  let nextId = 0;
  let waiting: { id: number; settle: (result: GuestReply | SandboxError) => void } | undefined;
  let dead: SandboxError | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const started = Promise.withResolvers<void>();
  started.promise.catch(() => {});
  const startTimer = setTimeout(
    () => die(new SandboxError("crashed", `the guest's thread did not start in ${startTimeMs} ms`)),
    startTimeMs,
  );
  const die = (error: SandboxError) => {
    if (dead) return;
    dead = error;
    clearTimeout(startTimer);
    started.reject(new AttuneError("environment", `sandbox: ${error.message}`, { cause: error }));
    waiting?.settle(error);
    void worker.terminate();
  };
  worker.on("message", (message: "ready" | GuestReply) => {
    if (message === "ready") {
      clearTimeout(startTimer);
      if (!waiting) worker.unref();
      started.resolve();
    } else if (message?.id === waiting?.id) waiting?.settle(message);
  });
  worker.on("error", (error: Error & { code?: string }) =>
    die(
      error?.code === "ERR_WORKER_OUT_OF_MEMORY"
        ? new SandboxError("memory", "more memory than allowed")
        : new SandboxError("crashed", `the guest's thread failed: ${String(error?.message).split("\n")[0]}`),
    ),
  );
  worker.on("exit", () => die(new SandboxError("crashed", "the guest's thread ended")));
  worker.on("messageerror", () =>
    die(new SandboxError("crashed", "the guest's thread sent what cannot be read")),
  );

  /** The thread's limits are on its heap alone. */
  const look = async () => {
    const { external_memory: bytes } = await worker.getHeapStatistics();
    if (bytes > mostExternalBytes) die(new SandboxError("memory", "more memory than allowed"));
  };

  const askNow: GuestThread["ask"] = async (question, { timeMs, signal }) => {
    await started.promise;
    signal?.throwIfAborted();
    if (dead) throw new GuestGone();
    const id = nextId++;
    const { promise, resolve } = Promise.withResolvers<GuestReply | SandboxError>();
    waiting = { id, settle: resolve };
    worker.ref();
    const timer = setTimeout(() => die(new SandboxError("timeout", `stopped after ${timeMs} ms`)), timeMs);
    const abort = () => die(new SandboxError("timeout", "stopped from outside"));
    signal?.addEventListener("abort", abort, { once: true });
    const watch = Number.isFinite(mostExternalBytes)
      ? setInterval(() => {
          // a thread that has just ended has nothing to say
          look().catch(() => {});
        }, watchEveryMs)
      : undefined;
    try {
      worker.postMessage({ ...question, id });
      const result = await promise;
      if (result instanceof SandboxError) {
        signal?.throwIfAborted();
        throw result;
      }
      return result;
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener("abort", abort);
      waiting = undefined;
      worker.unref();
    }
  };

  return {
    ready: started.promise,
    // one after the other, so that the time of a question is its own and the guilty one is known
    ask(question, options) {
      const answer = last.then(() => askNow(question, options));
      last = answer.catch(() => {});
      return answer;
    },
    tell(question) {
      if (!dead) worker.postMessage({ ...question, id: -1 });
    },
    isAlive: () => dead === undefined,
    async kill() {
      die(new SandboxError("crashed", "the guest's thread was stopped"));
      await worker.terminate();
    },
  };
}

/** The execution or the file's content of a reply; throws the failure it says. */
export function unwrap<Kind extends "execution" | "content">(
  reply: GuestReply,
  kind: Kind,
): Extract<GuestReply, Record<Kind, unknown>>[Kind] {
  if ("failure" in reply) {
    const { kind, message, output } = reply.failure;
    throw new SandboxError(kind, message, { output });
  }
  return (reply as Extract<GuestReply, Record<Kind, unknown>>)[kind];
}
