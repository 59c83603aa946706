export type SandboxLanguage = "shell" | "javascript" | "python";

/** What one sandbox may use. Whatever is not listed is not there: no network, no host file, no host environment. */
export type SandboxLimits = {
  /** Milliseconds one exec may take. */
  timeMs: number;
  /** Bytes of memory the guest may hold. */
  memoryBytes: number;
  /** Characters one exec may print; more ends it. */
  outputCharacters: number;
  /** Processes at once; 1 where the guest cannot start any. */
  processes: number;
  /** Always false: no driver opens the network. */
  network: false;
};

/**
 * Why an exec was ended from outside.
 * - `timeout`: more time (or steps) than allowed.
 * - `memory`: more memory than allowed.
 * - `output`: more printed than allowed.
 * - `denied`: something that a sandbox does not give, such as a path outside of it.
 * - `crashed`: the guest died, or the sandbox is closed or cannot be had here.
 */
export type SandboxFailureKind = "timeout" | "memory" | "output" | "denied" | "crashed";

/** An exec (or a file's way in or out) that the sandbox ended. A program's own failure is an `Execution` instead. */
export class SandboxError extends Error {
  readonly kind: SandboxFailureKind;
  /** What had been printed by then, as far as it is known. */
  readonly output: string;

  constructor(kind: SandboxFailureKind, message: string, { output = "" }: { output?: string } = {}) {
    super(message);
    this.name = "SandboxError";
    this.kind = kind;
    this.output = output;
  }
}

/** A program that came to its own end. */
export type Execution = {
  /** What it printed; for an interpreter also the value of its last expression. */
  output: string;
  /** One or a few lines where the program failed (an exception, a non-zero exit), else null. */
  error: string | null;
};

/**
 * Enough to open a sandbox in the same state again, as JSON. Shells keep files, so `steps` is empty there; an
 * interpreter's variables come back by taking its steps again, which gives the same because its clock and its random
 * numbers repeat.
 */
export type SandboxSnapshot = {
  language: SandboxLanguage;
  files: Record<string, string>;
  steps: SandboxStep[];
};

export type SandboxStep = { code: string } | { path: string; content: string };

/**
 * A place to run code that nobody vouches for. State lives from one exec to the next. Calls are taken one after the
 * other. A `SandboxError` leaves the sandbox usable, unless it is closed.
 */
export interface Sandbox {
  readonly language: SandboxLanguage;
  readonly limits: SandboxLimits;
  exec(code: string, options?: { signal?: AbortSignal }): Promise<Execution>;
  /** Text of a file, by its path from the sandbox's home directory. */
  read(path: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  snapshot(): Promise<SandboxSnapshot>;
  /** May be called again; every other call is then refused. */
  close(): Promise<void>;
}

/** Makes sandboxes of one language, and owns what they share (threads, compiled modules). */
export interface SandboxDriver {
  readonly name: string;
  readonly language: SandboxLanguage;
  readonly limits: SandboxLimits;
  /** Costs little: what is expensive is done at the first exec, or ahead of it. */
  open(options?: { files?: Record<string, string>; snapshot?: SandboxSnapshot }): Sandbox;
  /** Ends what is shared. Sandboxes still open are closed. */
  close(): Promise<void>;
}
