import { AttuneError } from "../spec/error.ts";
import type { SandboxDriver, SandboxLimits } from "../spec/sandbox.ts";
import type { Guest } from "./guest.ts";
import { type GuestThread, startGuestThread, unwrap } from "./guest-thread.ts";
import { setLimits } from "./limits.ts";
import type { QuickJsThreadOptions } from "./quickjs-guest.ts";
import { createReplayingSandbox } from "./replay.ts";

const defaults: SandboxLimits = {
  timeMs: 1000,
  memoryBytes: 32 * 1024 * 1024,
  outputCharacters: 64 * 1024,
  processes: 1,
  network: false,
};

/**
 * Looks by the interpreter (one each 10,000 operations or so) that make a millisecond: measured 3 to 4.4. A run is
 * ended by steps, which a seed repeats; the clock only ends what cannot be counted.
 */
const stepsPerMs = 4;

/** JavaScript in QuickJS, compiled to WebAssembly. Sandboxes are light and share a few threads. */
export function createQuickJs({
  limits: given,
  threads: count = 2,
}: {
  limits?: Partial<Omit<SandboxLimits, "network">>;
  /** Threads that share the sandboxes out. One that must be killed takes its sandboxes along, which come back. */
  threads?: number;
} = {}): SandboxDriver {
  const limits = setLimits("quickjs", defaults, given, { leastMemoryBytes: 16 * 1024 * 1024 });
  if (!(Number.isSafeInteger(count) && count > 0))
    throw new AttuneError(
      "usage",
      `sandbox "quickjs": expected threads as a whole number above 0, got ${count}`,
    );
  const threads: { thread: GuestThread; guests: number }[] = [];
  const open = new Set<{ close(): Promise<void> }>();
  let nextGuest = 0;
  let closed = false;

  const pickThread = () => {
    for (let index = threads.length - 1; index >= 0; index--)
      if (!threads[index]!.thread.isAlive()) threads.splice(index, 1);
    const idle = threads.find(({ guests }) => guests === 0);
    if (idle) return idle;
    if (threads.length < count) {
      const entry = { thread: start(limits), guests: 0 };
      threads.push(entry);
      return entry;
    }
    return threads.reduce((least, entry) => (entry.guests < least.guests ? entry : least));
  };
  const openGuest = async (): Promise<Guest> => {
    const entry = pickThread();
    entry.guests++;
    const { thread } = entry;
    const guest = nextGuest++;
    // twice the time: steps end a run before the clock does, unless they cannot
    const patience = { timeMs: 2 * limits.timeMs + 500 };
    return {
      exec: async (code, { signal }) =>
        unwrap(await thread.ask({ guest, verb: "exec", code }, { ...patience, signal }), "execution"),
      read: async (path) => unwrap(await thread.ask({ guest, verb: "read", path }, patience), "content"),
      write: async (path, content) => {
        await thread.ask({ guest, verb: "write", path, content }, patience);
      },
      drop() {
        entry.guests--;
        thread.tell({ guest, verb: "drop" });
      },
    };
  };

  return {
    name: "quickjs",
    language: "javascript",
    limits,
    open({ files = {}, snapshot } = {}) {
      if (closed) throw new AttuneError("usage", 'sandbox "quickjs": the driver is closed');
      const sandbox = createReplayingSandbox({
        language: "javascript",
        limits,
        openGuest,
        snapshot: snapshot ?? { language: "javascript", files, steps: [] },
        onClose: () => open.delete(sandbox),
      });
      open.add(sandbox);
      return sandbox;
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((sandbox) => sandbox.close()));
      await Promise.all(threads.splice(0).map(({ thread }) => thread.kill()));
    },
  };
}

function start({ memoryBytes, outputCharacters, timeMs }: SandboxLimits): GuestThread {
  const file = import.meta.url.endsWith(".ts") ? "./quickjs-guest.ts" : "./quickjs-guest.js";
  const workerData: QuickJsThreadOptions = { memoryBytes, outputCharacters, steps: timeMs * stepsPerMs };
  return startGuestThread(new URL(file, import.meta.url), {
    workerData,
    startTimeMs: 30_000,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
}
