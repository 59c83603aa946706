import type { Worker } from "node:worker_threads";
import { AttuneError } from "../spec/error.ts";
import type { Sample } from "../spec/policy.ts";
import type { Calls, FromWorker, SampleOrder, ToWorker, Verb, WireError } from "./protocol.ts";

/** The caller's end of the engine's thread: questions go in, each is answered once. */
export interface Thread {
  /**
   * Asks for one of the protocol's calls. An aborted signal asks the thread to stop; the answer is still the thread's,
   * so a rejection means that nothing was done.
   */
  call<V extends Verb>(
    verb: V,
    given: Calls[V]["arguments"],
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Calls[V]["result"]>;
  /** Samples asked for in one turn of the event loop travel together. */
  sample(policy: number, order: Omit<SampleOrder, "id">, signal?: AbortSignal): Promise<Sample>;
  /** Ends the thread; whatever is still being asked is refused. May be called again. */
  stop(): Promise<void>;
  /** Whether `stop` has been called. */
  isStopped(): boolean;
}

/** Matches answers to questions. A thread that dies fails everything that waits for it and all that is asked later. */
export function connectThread(worker: Worker): Thread {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let nextId = 0;
  let dead: AttuneError | undefined;
  let stopping: Promise<void> | undefined;

  const send = (message: ToWorker) => worker.postMessage(message);
  const die = (message: string, cause?: unknown) => {
    dead ??= new AttuneError("engine", message, { cause });
    for (const { reject } of pending.values()) reject(dead);
    pending.clear();
  };
  /** An idle thread does not keep the process alive. */
  const settle = (id: number) => {
    const waiting = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) worker.unref();
    return waiting;
  };
  worker.on("message", (message: FromWorker) => {
    const waiting = settle(message.id);
    if (message.type === "result") waiting?.resolve(message.result);
    else waiting?.reject(fromWire(message.error));
  });
  worker.on("messageerror", (error) => die(`the engine's thread sent what cannot be read: ${error.message}`));
  worker.on("error", (error) =>
    die(`the engine's thread failed: ${String((error as Error).message)}`, error),
  );
  worker.on("exit", (code) => die(stopping ? closed : `the engine's thread ended with code ${code}`));

  const expectAnswer = <Result>(id: number) =>
    new Promise<Result>((resolve, reject) => {
      if (dead) return reject(dead);
      pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.ref();
      return undefined;
    });

  const ask = async <V extends Verb>(
    verb: V,
    given: Calls[V]["arguments"],
    signal?: AbortSignal,
  ): Promise<Calls[V]["result"]> => {
    signal?.throwIfAborted();
    const id = nextId++;
    const answer = expectAnswer<Calls[V]["result"]>(id);
    send({ type: "call", id, verb, arguments: given } as ToWorker);
    const cancel = () => send({ type: "cancel", id });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await answer;
    } catch (error) {
      if (isCancellation(error)) signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };

  const refuseWhenStopping = () => {
    if (stopping) throw new AttuneError("engine", closed);
  };

  const orders = new Map<number, SampleOrder[]>();
  const enqueue = (policy: number, order: SampleOrder) => {
    const queue = orders.get(policy);
    if (queue) return queue.push(order);
    orders.set(policy, [order]);
    return setImmediate(() => {
      const batch = orders.get(policy)!;
      orders.delete(policy);
      if (batch.length > 0) send({ type: "sample", policy, orders: batch });
    });
  };

  return {
    async call(verb, given, { signal } = {}) {
      refuseWhenStopping();
      return ask(verb, given, signal);
    },
    async sample(policy, order, signal) {
      refuseWhenStopping();
      signal?.throwIfAborted();
      const id = nextId++;
      const answer = expectAnswer<Sample>(id);
      enqueue(policy, { ...order, id });
      const cancel = () => {
        const queue = orders.get(policy);
        const index = queue?.findIndex((waiting) => waiting.id === id) ?? -1;
        if (index >= 0) queue!.splice(index, 1);
        else send({ type: "cancel", id });
        settle(id)?.reject(signal!.reason);
      };
      signal?.addEventListener("abort", cancel, { once: true });
      try {
        return await answer;
      } finally {
        signal?.removeEventListener("abort", cancel);
      }
    },
    stop() {
      stopping ??= ask("close", [])
        .catch(() => undefined)
        .then(async () => {
          await worker.terminate();
          die(closed);
        });
      return stopping;
    },
    isStopped: () => stopping !== undefined,
  };
}

const closed = "the trainer has been closed";

/** An error as it was in the other thread: `AttuneError` with its kind, anything else with its stack. */
function fromWire({ kind, message, stack }: WireError): Error {
  if (kind !== "bug" && kind !== "cancelled") return new AttuneError(kind, message);
  const error = new Error(message);
  if (kind === "cancelled") error.name = "AbortError";
  if (stack !== undefined) error.stack = stack;
  return error;
}

function isCancellation(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
