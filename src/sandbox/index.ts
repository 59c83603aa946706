// Places to run code that nobody vouches for, one driver a file: read memory-shell.ts first, then quickjs.ts with
// replay.ts. The contract is in spec/sandbox.ts; docs/sandboxes.md says what each driver keeps out and what it costs.
export { createMemoryShell } from "./memory-shell.ts";
export { createNamespace, whyNoNamespaces } from "./namespace.ts";
export { createPyodide } from "./pyodide.ts";
export { createQuickJs } from "./quickjs.ts";
