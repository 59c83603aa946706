// The thread's end of the Python driver: one interpreter, for one sandbox. The host kills the thread to stop it.
import { parentPort, workerData } from "node:worker_threads";
import type { Execution } from "../spec/sandbox.ts";
import type { GuestReply, GuestRequest } from "./guest.ts";
import { openRealm, type PyodideParts } from "./pyodide-realm.ts";
import { pythonRunner } from "./pyodide-runner.ts";

export type PyodideThreadOptions = { parts: PyodideParts; memoryBytes: number; outputCharacters: number };

const { parts, memoryBytes, outputCharacters } = workerData as PyodideThreadOptions;
const port = parentPort!;
const realm = await openRealm(parts, { memoryBytes, outputCharacters, runner: pythonRunner });
lockOwnRealm();

if (parts.snapshot) {
  port.on("message", (request: GuestRequest) => {
    if (request.verb !== "drop") port.postMessage(answer(request));
  });
  port.postMessage("ready");
} else {
  const snapshot = realm.takeSnapshot();
  const shared = new SharedArrayBuffer(snapshot.byteLength);
  new Uint8Array(shared).set(snapshot);
  port.postMessage(shared);
}

/**
 * Should a guest ever hold an object of this realm, there is no way from it to code or to the process. Takes away the
 * constructors of functions, which every object leads to, and the globals that give anything.
 */
function lockOwnRealm(): void {
  const kinds = [() => {}, async () => {}, function* () {}, async function* () {}];
  for (const kind of kinds)
    Object.defineProperty(Object.getPrototypeOf(kind), "constructor", { value: undefined });
  const { globals } = { globals: globalThis as unknown as Record<string, unknown> };
  for (const name of [
    "process",
    "fetch",
    "WebSocket",
    "EventSource",
    "Worker",
    "require",
    "eval",
    "Function",
  ])
    Object.defineProperty(globals, name, { value: undefined });
}

function answer(request: Exclude<GuestRequest, { verb: "drop" }>): GuestReply {
  const { id } = request;
  try {
    if (request.verb === "exec") return run(id, request.code);
    if (request.verb === "read") return { id, content: realm.read(request.path) };
    realm.write(request.path, request.content);
    return { id, content: null };
  } catch {
    // whatever was thrown came out of the guest's realm: it is not looked at
    return { id, failure: { kind: "crashed", message: "the interpreter crashed", output: "" } };
  }
}

function run(id: number, code: string): GuestReply {
  const said = readVerdict(realm.run(code));
  const { text: bytes, flooded } = realm.takeOutput();
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  const output = (text.endsWith("\n") ? text.slice(0, -1) : text).slice(0, outputCharacters);
  if (flooded || text.length > outputCharacters + 1)
    return {
      id,
      failure: { kind: "output", message: `printed more than ${outputCharacters} characters`, output },
    };
  if (!said) return { id, failure: { kind: "crashed", message: "the interpreter crashed", output } };
  const [error, kind] = said;
  if (kind === "memory")
    return { id, failure: { kind, message: `took more than ${memoryBytes} bytes of memory`, output } };
  if (kind === "denied") return { id, failure: { kind, message: error ?? "denied", output } };
  const execution: Execution = { output, error };
  return { id, execution };
}

/** `[error, kind]` as the runner wrote it; the guest may have written it too, and then it has only lied to itself. */
function readVerdict(text: string): [string | null, string | null] | undefined {
  try {
    const said: unknown = JSON.parse(text);
    if (!Array.isArray(said)) return undefined;
    const [error, kind] = said.map((part: unknown) =>
      typeof part === "string" ? part.slice(0, 4000) : null,
    );
    return [error ?? null, kind ?? null];
  } catch {
    return undefined;
  }
}
