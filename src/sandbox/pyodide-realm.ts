import vm from "node:vm";
import type { WasmModule } from "./web-assembly.ts";

/** The parts of the installed pyodide package, as threads share them. */
export type PyodideParts = {
  loader: string;
  interpreter: string;
  wasm: WasmModule;
  /** The list of packages that it could load, emptied; only its heading is wanted. */
  lock: string;
  library: SharedArrayBuffer;
  /** Memory of an interpreter that has just started, which saves starting it again. */
  snapshot: SharedArrayBuffer | undefined;
};

export type Realm = {
  /** Runs code in Python; what comes back is text that the guest may have written. */
  run(code: string): string;
  takeOutput(): { text: string; flooded: boolean };
  read(path: string): string | null;
  write(path: string, content: string): void;
};

/**
 * Python inside a JavaScript realm of its own that has nothing to give: no `process`, no `require`, no network, no
 * dynamic import, and no making of code from text (`eval`, `constructor.constructor`). Python's bridge to JavaScript
 * ends here, whichever way a program finds it. Nothing of the host's realm stays within reach once it has started, and
 * nothing comes out of it but text. The clock and the random numbers repeat.
 */
export async function openRealm(
  { loader, interpreter, wasm, lock, library, snapshot }: PyodideParts,
  {
    memoryBytes,
    outputCharacters,
    runner,
  }: { memoryBytes: number; outputCharacters: number; runner: string },
): Promise<Realm & { takeSnapshot(): Uint8Array }> {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
    codeGeneration: { strings: false, wasm: true },
  });
  const inside = (code: string): unknown => vm.runInContext(code, context);
  const load = async (source: string, name: string) => {
    const identifier = `file:///${name}`;
    const module = new vm.SourceTextModule(source, {
      context,
      identifier,
      initializeImportMeta: (meta) => {
        meta.url = identifier;
      },
      // not an Error: that would be one of the host's
      // oxlint-disable-next-line no-throw-literal
      importModuleDynamically: () => {
        throw "there is nothing to import";
      },
    });
    await module.link(() => {
      throw new Error(`pyodide: ${name} imports more than it did`);
    });
    await module.evaluate();
    return module.namespace as Record<string, unknown>;
  };

  inside(surroundings);
  const bytesInside = inside("(size) => new Uint8Array(size)") as (size: number) => Uint8Array;
  const copy = (shared: SharedArrayBuffer) => {
    const bytes = bytesInside(shared.byteLength);
    bytes.set(new Uint8Array(shared));
    return bytes;
  };
  const { loadPyodide } = await load(loader, "pyodide.mjs");
  const { default: createPyodideModule } = await load(interpreter, "pyodide.asm.mjs");
  const boot = inside(starting) as (...given: unknown[]) => Promise<Record<string, unknown>>;
  const realm = (await boot(
    loadPyodide,
    createPyodideModule,
    wasm,
    lock,
    copy(library),
    snapshot && copy(snapshot),
    memoryBytes,
    outputCharacters,
    runner,
  )) as unknown as {
    run(code: string): unknown;
    output(): unknown;
    isFlooded(): unknown;
    read(path: string): unknown;
    write(path: string, content: string): unknown;
    snapshot(): ArrayLike<number>;
  };
  return {
    run: (code) => String(asText(realm.run(code))),
    takeOutput: () => ({ text: asText(realm.output()), flooded: realm.isFlooded() === true }),
    read(path) {
      const content = realm.read(path);
      return typeof content === "string" ? content : null;
    },
    write(path, content) {
      realm.write(path, content);
    },
    takeSnapshot: () => Uint8Array.from(realm.snapshot()),
  };
}

/** Never calls into what the guest made: anything but text is nothing. */
const asText = (value: unknown) => (typeof value === "string" ? value : "");

/** Globals that pyodide expects of a bare JavaScript shell. */
const surroundings = `
  globalThis.read = () => { throw new Error("there is nothing to read"); };
  globalThis.load = () => {};
  globalThis.WorkerGlobalScope = class {};
  globalThis.URL = class { constructor(href) { this.href = String(href); } };
  globalThis.TextEncoder = class {
    encode(text) {
      const latin = unescape(encodeURIComponent(text));
      return Uint8Array.from(latin, (character) => character.charCodeAt(0));
    }
    encodeInto(text, target) {
      const bytes = this.encode(text);
      target.set(bytes);
      return { read: text.length, written: bytes.length };
    }
  };
  globalThis.TextDecoder = class {
    decode(view) {
      const bytes = ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(view);
      let latin = "";
      for (let index = 0; index < bytes.length; index++) latin += String.fromCharCode(bytes[index]);
      try { return decodeURIComponent(escape(latin)); } catch { return latin; }
    }
  };
  globalThis.console = { log() {}, info() {}, warn() {}, error() {}, debug() {} };
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) globalThis[name] = () => 0;
  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) globalThis[name] = () => {};
`;

const starting = `(async (loadPyodide, createPyodideModule, wasm, lock, library, snapshot, memoryBytes, outputCharacters, runner) => {
  const epoch = Date.UTC(2025, 0, 1), { instantiate, Module, Instance, Memory } = WebAssembly, { fromCharCode } = String;
  let clock = 0, drawn = 1;
  Date.now = () => epoch + clock++;
  globalThis.performance = { now: () => clock++ };
  globalThis.crypto = { getRandomValues: (view) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let index = 0; index < bytes.length; index++) {
      drawn = (Math.imul(drawn, 1664525) + 1013904223) >>> 0;
      bytes[index] = drawn >>> 24;
    }
    return view;
  } };
  Math.random = () => (drawn = (Math.imul(drawn, 1664525) + 1013904223) >>> 0) / 4294967296;

  Object.setPrototypeOf(wasm, Module.prototype);
  const sentinel = new Uint8Array(1);
  globalThis.readbuffer = (path) => (path.endsWith(".zip") ? library : sentinel).buffer;
  WebAssembly.instantiate = async (source, imports) => source.byteLength === 1
    ? { module: wasm, instance: new Instance(wasm, imports) }
    : instantiate.call(WebAssembly, source, imports ?? {});
  const { grow } = Memory.prototype;
  Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 65536 > memoryBytes) throw new RangeError("no more memory");
    return grow.call(this, pages);
  };

  let printed = "", flooded = false;
  const print = { write: (bytes) => {
    if (flooded || printed.length + bytes.length > outputCharacters * 4) { flooded = true; throw new Error("too much output"); }
    for (let index = 0; index < bytes.length; index++) printed += fromCharCode(bytes[index]);
    return bytes.length;
  } };
  const pyodide = await loadPyodide({
    indexURL: "/pyodide/",
    lockFileContents: JSON.parse(lock),
    packageBaseUrl: "/pyodide/",
    createPyodideModule,
    env: { HOME: "/home/agent", PYTHONHASHSEED: "0", TZ: "UTC" },
    jsglobals: Object.create(null),
    stdin: () => null,
    _makeSnapshot: snapshot === undefined,
    ...(snapshot && { _loadSnapshot: snapshot }),
  });
  const { FS } = pyodide;
  pyodide.setStdout(print);
  pyodide.setStderr(print);
  const take = snapshot && pyodide.runPython(runner);
  for (const name of ["readbuffer", "read", "load", "URL", "WorkerGlobalScope", "WebAssembly", "SharedArrayBuffer", "Atomics"])
    delete globalThis[name];
  clock = 0;
  drawn = 1;
  return {
    run: (code) => take(code),
    output() { const text = printed; printed = ""; return text; },
    isFlooded() { const was = flooded; flooded = false; return was; },
    read(path) {
      try { return FS.readFile("/home/agent/" + path, { encoding: "utf8" }); } catch { return null; }
    },
    write(path, content) {
      const full = "/home/agent/" + path;
      FS.mkdirTree(full.slice(0, full.lastIndexOf("/")));
      FS.writeFile(full, content);
    },
    snapshot: () => pyodide.makeMemorySnapshot(),
  };
})`;
