/** What a session's database starts as: SQL that makes it, or the bytes of a SQLite file, by a key that names them. */
export type Base = { key: string } & ({ script: string } | { bytes: Uint8Array });

/** What one statement may show and leave. */
export type StatementLimits = { rows: number; characters: number; grownBytes: number };

/** What is asked of the process that holds the databases. What it has none for is opened first. */
export type SqlRequest =
  | { ask: "open"; session: number; base: Base; log: readonly string[]; limits: StatementLimits }
  | { ask: "run"; session: number; sql: string }
  | { ask: "hash"; session: number }
  | { ask: "forget"; session: number };

/** `failed` is the statement's own failure; `broken` is the process's. `wrote` asks for the statement to be logged. */
export type SqlReply =
  | { text: string; wrote: boolean }
  | { failed: string; wrote: boolean }
  | { hashes: Record<string, string> }
  | { opened: true }
  | { unknown: true }
  | { broken: string };
