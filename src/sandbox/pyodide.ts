import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { AttuneError } from "../spec/error.ts";
import type { SandboxDriver, SandboxLimits } from "../spec/sandbox.ts";
import type { Guest } from "./guest.ts";
import { type GuestThread, startGuestThread, unwrap } from "./guest-thread.ts";
import { setLimits } from "./limits.ts";
import type { PyodideThreadOptions } from "./pyodide-guest.ts";
import type { PyodideParts } from "./pyodide-realm.ts";
import { createReplayingSandbox } from "./replay.ts";
import { Module } from "./web-assembly.ts";

const defaults: SandboxLimits = {
  timeMs: 5000,
  memoryBytes: 256 * 1024 * 1024,
  outputCharacters: 64 * 1024,
  processes: 1,
  network: false,
};

const startTimeMs = 60_000;
/** What a thread holds beside Python's own memory: the library, and the snapshot until it is collected. */
const besideBytes = 128 * 1024 * 1024;

/**
 * CPython in WebAssembly (the package `pyodide`, which the caller installs), with the standard library and nothing
 * else. A thread for each sandbox that has run something, since sandboxes in one thread would share a JavaScript
 * realm; `most` bounds them, and further sandboxes wait for one to close. `warm` threads are started ahead.
 */
export function createPyodide({
  limits: given,
  warm = 1,
  most = 8,
}: {
  limits?: Partial<Omit<SandboxLimits, "network">>;
  warm?: number;
  most?: number;
} = {}): SandboxDriver & { warmUp(): Promise<void> } {
  const limits = setLimits("pyodide", defaults, given, { leastMemoryBytes: 64 * 1024 * 1024 });
  if (!(Number.isSafeInteger(warm) && Number.isSafeInteger(most) && warm >= 0 && most >= 1))
    throw new AttuneError(
      "usage",
      `sandbox "pyodide": expected warm of 0 or more and most above 0, got ${warm} and ${most}`,
    );
  const open = new Set<{ close(): Promise<void> }>();
  const idle: GuestThread[] = [];
  const queue: (() => void)[] = [];
  let busy = 0;
  let closed = false;
  let parts: Promise<PyodideParts> | undefined;

  const start = async (): Promise<GuestThread> => {
    parts ??= loadParts(limits);
    const loaded = await parts;
    return startThread({ parts: loaded, ...limits });
  };
  /** Threads are started ahead only while somebody uses them. */
  const refill = async (): Promise<void> => {
    const wanted = Math.min(warm, most - busy) - idle.length;
    await Promise.all(
      Array.from({ length: Math.max(0, wanted) }, async () => {
        const thread = await start();
        if (closed) await thread.kill();
        else idle.push(thread);
        await thread.ready;
      }),
    );
  };
  const takeSeat = async (signal?: AbortSignal): Promise<void> => {
    if (busy < most) {
      busy++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      const at = queue.indexOf(resolve);
      if (at !== -1) queue.splice(at, 1);
      reject(signal!.reason);
    };
    queue.push(resolve);
    signal?.addEventListener("abort", abort, { once: true });
    await promise;
    signal?.removeEventListener("abort", abort);
  };
  /** The seat goes to who waits longest. */
  const leaveSeat = () => {
    const next = queue.shift();
    if (next) next();
    else busy--;
  };

  const openGuest = async (signal?: AbortSignal): Promise<Guest> => {
    signal?.throwIfAborted();
    await takeSeat(signal);
    let thread: GuestThread;
    try {
      thread = idle.find((each) => each.isAlive()) ?? (await start());
      idle.splice(0, idle.length, ...idle.filter((each) => each !== thread && each.isAlive()));
      await thread.ready;
    } catch (error) {
      leaveSeat();
      throw error;
    }
    refill().catch(() => {});
    const patience = { timeMs: limits.timeMs };
    return {
      exec: async (code, { signal }) =>
        unwrap(await thread.ask({ guest: 0, verb: "exec", code }, { ...patience, signal }), "execution"),
      read: async (path) => unwrap(await thread.ask({ guest: 0, verb: "read", path }, patience), "content"),
      write: async (path, content) => {
        unwrap(await thread.ask({ guest: 0, verb: "write", path, content }, patience), "content");
      },
      drop() {
        leaveSeat();
        void thread.kill();
      },
    };
  };

  return {
    name: "pyodide",
    language: "python",
    limits,
    open({ files = {}, snapshot } = {}) {
      if (closed) throw new AttuneError("usage", 'sandbox "pyodide": the driver is closed');
      const sandbox = createReplayingSandbox({
        language: "python",
        limits,
        openGuest,
        snapshot: snapshot ?? { language: "python", files, steps: [] },
        onClose: () => open.delete(sandbox),
      });
      open.add(sandbox);
      return sandbox;
    },
    /** Resolves when `warm` interpreters stand ready. */
    warmUp: async () => {
      await refill();
      await Promise.all(idle.map(({ ready }) => ready));
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((sandbox) => sandbox.close()));
      await Promise.all(idle.splice(0).map((thread) => thread.kill()));
    },
  };
}

const threadFile = new URL(
  import.meta.url.endsWith(".ts") ? "./pyodide-guest.ts" : "./pyodide-guest.js",
  import.meta.url,
);
/** For `vm.SourceTextModule`, in which pyodide is loaded. */
const execArgv = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];

function startThread({
  parts,
  memoryBytes,
  outputCharacters,
}: SandboxLimits & { parts: PyodideParts }): GuestThread {
  const workerData: PyodideThreadOptions = { parts, memoryBytes, outputCharacters };
  return startGuestThread(threadFile, {
    workerData,
    execArgv,
    startTimeMs,
    mostExternalBytes: memoryBytes + besideBytes,
    resourceLimits: { maxOldGenerationSizeMb: 192, stackSizeMb: 8 },
  });
}

/** Loaded and started once in a process; the memory of the fresh interpreter is what the others start from. */
async function loadParts({ memoryBytes, outputCharacters }: SandboxLimits): Promise<PyodideParts> {
  const require = createRequire(import.meta.url);
  const read = (name: string) => readFileSync(require.resolve(`pyodide/${name}`));
  let parts: PyodideParts;
  try {
    const library = read("python_stdlib.zip");
    const shared = new SharedArrayBuffer(library.byteLength);
    new Uint8Array(shared).set(library);
    parts = {
      loader: read("pyodide.mjs").toString(),
      interpreter: read("pyodide.asm.mjs").toString(),
      wasm: new Module(read("pyodide.asm.wasm")),
      lock: JSON.stringify({ ...JSON.parse(read("pyodide-lock.json").toString()), packages: {} }),
      library: shared,
      snapshot: undefined,
    };
  } catch (error) {
    throw new AttuneError(
      "usage",
      `sandbox "pyodide": the package "pyodide" cannot be loaded (npm install pyodide): ${(error as Error).message.split("\n")[0]}`,
    );
  }
  const workerData: PyodideThreadOptions = { parts, memoryBytes, outputCharacters };
  const worker = new Worker(threadFile, { workerData, execArgv, env: {}, stdout: true, stderr: true });
  try {
    const snapshot = await new Promise<SharedArrayBuffer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("its thread ended")));
    });
    return { ...parts, snapshot };
  } catch (error) {
    throw new AttuneError(
      "environment",
      `sandbox "pyodide": Python does not start: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  } finally {
    await worker.terminate();
  }
}
