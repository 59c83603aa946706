// The thread's end of the JavaScript driver: a WebAssembly instance for each guest, so that its memory has an end that
// holds (QuickJS does not count the bytes of what it allocates there) and a crash is its own. The host kills the whole
// thread where a guest cannot be interrupted: a built-in function can loop for days.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import {
  type CustomizeVariantOptions,
  newQuickJSWASMModule,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
  RELEASE_SYNC,
} from "quickjs-emscripten";
import type { Execution, SandboxFailureKind } from "../spec/sandbox.ts";
import type { GuestReply, GuestRequest } from "./guest.ts";
import { Instance, Memory, Module, type WasmInstance, type WasmMemory } from "./web-assembly.ts";

export type QuickJsThreadOptions = { memoryBytes: number; outputCharacters: number; steps: number };

const { memoryBytes, outputCharacters, steps } = workerData as QuickJsThreadOptions;
const fileCharacters = 1024 * 1024;

/** Runs in the guest, before anything else. What it closes over is the guest's own, so that nothing of ours leaks. */
const prelude = `(() => {
  const { stringify } = JSON, { ownKeys } = Reflect, print = __print;
  const plain = (value, depth) => {
    if (typeof value === "bigint") return value + "n";
    if (typeof value === "string") return depth === 0 ? value : stringify(value);
    if (typeof value === "function") return "[Function " + (value.name || "anonymous") + "]";
    if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
    if (value instanceof Error) return value.name + ": " + value.message;
    if (depth > 4) return Array.isArray(value) ? "[Array]" : "[Object]";
    const inner = (item) => plain(item, depth + 1);
    if (Array.isArray(value)) return "[" + value.map(inner).join(", ") + "]";
    if (value instanceof Set) return "Set {" + [...value].map(inner).join(", ") + "}";
    if (value instanceof Map) return "Map {" + [...value].map(([key, item]) => inner(key) + " => " + inner(item)).join(", ") + "}";
    if (value instanceof Date) return isNaN(value) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    return "{" + ownKeys(value).map((key) => String(key) + ": " + inner(value[key])).join(", ") + "}";
  };
  const log = (...values) => print(values.map((value) => plain(value, 0)).join(" "));
  globalThis.print = log;
  globalThis.console = { log, info: log, warn: log, error: log, debug: log };
  delete globalThis.__print;
  return (value) => plain(value, 0);
})()`;

type Engine = { quickJs: QuickJSWASMModule; wasmMemory: WasmMemory };

type Runtime = {
  engine: Engine;
  runtime: QuickJSRuntime;
  context: QuickJSContext;
  format: QuickJSHandle;
  files: Map<string, string>;
  clock: number;
  used: number;
  printed: string[];
  printedCharacters: number;
  flooded: boolean;
};

class Failure extends Error {
  readonly kind: SandboxFailureKind;
  constructor(kind: SandboxFailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

// the guests' clocks: milliseconds pass with every look, so that a run repeats
let clockOf: { clock: number } = { clock: 0 };
Date.now = () => clockOf.clock++;
const epoch = Date.UTC(2025, 0, 1);

const require = createRequire(createRequire(import.meta.url).resolve("quickjs-emscripten"));
const wasmModule = new Module(readFileSync(require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm")));
/** Of promises, in one run: they do not count as steps. */
const mostJobs = 100_000;
const pageBytes = 65_536;
/** What the module declares to start with. */
const firstPages = 256;
const guests = new Map<number, Runtime>();

/** Engines whose guest is gone and left nothing: making one takes ten times as long as what goes into it. */
const spare: Engine[] = [];
const mostSpare = 64;

async function makeEngine(): Promise<Engine> {
  const wasmMemory = new Memory({
    initial: firstPages,
    maximum: Math.max(firstPages, Math.ceil(memoryBytes / pageBytes)),
  });
  const emscriptenModule = {
    wasmMemory,
    // at once: left to itself it waits for other threads
    instantiateWasm(imports: object, done: (instance: WasmInstance) => void) {
      const instance = new Instance(wasmModule, imports);
      done(instance);
      return instance.exports;
    },
  } as unknown as NonNullable<CustomizeVariantOptions["emscriptenModule"]>;
  const quickJs = await newQuickJSWASMModule(newVariant(RELEASE_SYNC, { emscriptenModule }));
  return { quickJs, wasmMemory };
}

function drop(id: number): void {
  const guest = guests.get(id);
  if (!guest) return;
  guests.delete(id);
  // one that grew keeps what it took
  if (spare.length >= mostSpare || guest.engine.wasmMemory.buffer.byteLength > firstPages * pageBytes) return;
  try {
    guest.format.dispose();
    guest.context.dispose();
    guest.runtime.dispose();
    spare.push(guest.engine);
  } catch {
    // it is not used again
  }
}

async function open(): Promise<Runtime> {
  const engine = spare.pop() ?? (await makeEngine());
  const { quickJs } = engine;
  const runtime = quickJs.newRuntime();
  runtime.setMaxStackSize(256 * 1024);
  const guest = {
    engine,
    runtime,
    files: new Map(),
    clock: epoch,
    used: 0,
    printed: [],
    printedCharacters: 0,
    flooded: false,
  } as unknown as Runtime;
  clockOf = guest;
  runtime.setInterruptHandler(() => guest.flooded || ++guest.used > steps);
  const context = runtime.newContext();
  guest.context = context;
  const define = (name: string, run: (...given: string[]) => string | undefined) => {
    const handle = context.newFunction(name, (...given) => {
      const result = run(...given.map((item) => context.getString(item)));
      return result === undefined ? context.undefined : context.newString(result);
    });
    context.setProp(context.global, name, handle);
    handle.dispose();
  };
  define("__print", (text = "") => {
    const room = outputCharacters - guest.printedCharacters;
    guest.printed.push(text.slice(0, Math.max(0, room)));
    guest.printedCharacters += text.length + 1;
    if (guest.printedCharacters > outputCharacters) {
      guest.flooded = true;
      throw new Error("too much output");
    }
    return undefined;
  });
  define("readFile", (path = "") => {
    const content = guest.files.get(path);
    if (content === undefined) throw new Error(`no file ${JSON.stringify(path)}`);
    return content;
  });
  define("writeFile", (path = "", content = "") => {
    const held = [...guest.files].reduce((sum, [name, text]) => sum + (name === path ? 0 : text.length), 0);
    if (!/^(?!\.)[\w./ -]{1,200}$/.test(path) || path.split("/").includes(".."))
      throw new Error(`no path to write to: ${JSON.stringify(path)}`);
    if (held + content.length > fileCharacters || guest.files.size >= 1000)
      throw new Error("no room for the file");
    guest.files.set(path, content);
    return undefined;
  });
  guest.format = context.unwrapResult(context.evalCode(prelude, "prelude"));
  return guest;
}

function exec(guest: Runtime, code: string): Execution {
  const { context } = guest;
  clockOf = guest;
  Object.assign(guest, { used: 0, printed: [], printedCharacters: 0, flooded: false });
  const dumpError = (handle: QuickJSHandle): string => {
    const error = handle.consume((value) => context.dump(value)) as unknown;
    const {
      name = "Error",
      message = String(error),
      stack = "",
    } = (typeof error === "object" && error !== null ? error : {}) as {
      name?: unknown;
      message?: unknown;
      stack?: unknown;
    };
    if (guest.flooded) throw new Failure("output", `printed more than ${outputCharacters} characters`);
    if (name === "InternalError" && message === "interrupted") throw new Failure("timeout", "ran too long");
    if (name === "InternalError" && message === "out of memory")
      throw new Failure("memory", `took more than ${memoryBytes} bytes of memory`);
    const line = /code:(\d+)/.exec(String(stack))?.[1];
    return `${String(name)}: ${String(message)}`.slice(0, 2000) + (line ? ` (line ${line})` : "");
  };
  const finish = (error: string | null): Execution => {
    if (guest.flooded) throw new Failure("output", `printed more than ${outputCharacters} characters`);
    // an interruption may get lost in a promise
    if (guest.used > steps) throw new Failure("timeout", "ran too long");
    return { output: guest.printed.join("\n"), error };
  };

  const result = context.evalCode(code, "code", { type: "global" });
  if (result.error) return finish(dumpError(result.error));
  const value = result.value;
  try {
    const jobs = guest.runtime.executePendingJobs(mostJobs);
    if (jobs.error) return finish(dumpError(jobs.error));
    if (guest.runtime.hasPendingJob()) throw new Failure("timeout", "ran too long");
    const state = context.getPromiseState(value);
    if (state.type === "pending") return finish("the promise was never kept");
    if (state.type === "rejected") return finish(dumpError(state.error));
    const shown = state.notAPromise ? value : state.value;
    if (context.typeof(shown) !== "undefined") {
      const text = context.callFunction(guest.format, context.undefined, shown);
      if (text.error) return finish(dumpError(text.error));
      const last = text.value.consume((handle) => context.getString(handle));
      guest.printed.push(last);
      if (guest.printedCharacters + last.length > outputCharacters) {
        guest.flooded = true;
        guest.printed = guest.printed.map((line) => line.slice(0, outputCharacters));
      }
    }
    if (!state.notAPromise) state.value.dispose();
    return finish(null);
  } finally {
    value.dispose();
  }
}

async function answer(request: Exclude<GuestRequest, { verb: "drop" }>): Promise<GuestReply> {
  const { id } = request;
  let guest = guests.get(request.guest);
  if (!guest) {
    guest = await open();
    guests.set(request.guest, guest);
  }
  try {
    if (request.verb === "exec") return { id, execution: exec(guest, request.code) };
    if (request.verb === "read") return { id, content: guest.files.get(request.path) ?? null };
    if (request.verb === "write") guest.files.set(request.path, request.content);
    return { id, content: null };
  } catch (error) {
    const output = guest.printed.join("\n").slice(0, outputCharacters);
    if (error instanceof Failure)
      return { id, failure: { kind: error.kind, message: error.message, output } };
    // WebAssembly itself failed: its instance is not touched again
    guests.delete(request.guest);
    return { id, failure: { kind: "crashed", message: "the interpreter crashed", output } };
  }
}

parentPort!.on("message", (request: GuestRequest) => {
  if (request.verb === "drop") drop(request.guest);
  else void answer(request).then((reply) => parentPort!.postMessage(reply));
});
parentPort!.postMessage("ready");
