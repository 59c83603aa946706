import type { Execution, SandboxFailureKind, SandboxStep } from "../spec/sandbox.ts";

/** An interpreter with its state, somewhere in a thread. Throws `SandboxError` where it had to be stopped. */
export interface Guest {
  exec(code: string, options: { signal?: AbortSignal | undefined }): Promise<Execution>;
  read(path: string): Promise<string | null>;
  write(path: string, content: string): Promise<void>;
  /** Lets go of it; after this nothing is asked of it. */
  drop(): void;
}

/** Thrown where a guest was gone before it was asked, by no fault of what it was to be asked. */
export class GuestGone extends Error {
  constructor() {
    super("the guest's thread is gone");
    this.name = "GuestGone";
  }
}

/** What a thread is asked. `guest` numbers the interpreters of one thread. */
export type GuestRequest = { id: number; guest: number } & (
  | { verb: "exec"; code: string }
  | { verb: "read"; path: string }
  | { verb: "write"; path: string; content: string }
  | { verb: "drop" }
);

export type GuestReply = { id: number } & (
  | { execution: Execution }
  | { content: string | null }
  | { failure: { kind: SandboxFailureKind; message: string; output: string } }
);

export const isRun = (step: SandboxStep): step is { code: string } => "code" in step;
