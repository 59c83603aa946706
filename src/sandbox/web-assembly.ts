/** A compiled module; it may be posted to a thread, which then need not compile it. */
export type WasmModule = { readonly [compiled]: true };
declare const compiled: unique symbol;

export type WasmMemory = { readonly buffer: ArrayBuffer };

export type WasmInstance = { readonly exports: object };

/** The part of WebAssembly's interface that is used here: the language's own types have it only with a browser's. */
export const { Module, Instance, Memory } = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (bytes: Uint8Array) => WasmModule;
      Instance: new (module: WasmModule, imports: object) => WasmInstance;
      Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
    };
  }
).WebAssembly;
