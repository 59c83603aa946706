import { CommanderError } from "commander";
import { AttuneError } from "../spec/error.ts";

/** Thrown by commands that have said everything and only need the exit code. */
export class ExitError extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Exit codes: 0 ok, 1 failed, 2 bad usage, 130 stopped by the user. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof AttuneError && error.kind === "usage") return 2;
  return 1;
}

/** The one line a user sees. What is nobody's mistake but ours says so. */
export function describeError(error: unknown): string | undefined {
  if (error instanceof ExitError || error instanceof CommanderError) return undefined;
  const { message, code } = error as NodeJS.ErrnoException;
  const line = String(message).split("\n")[0];
  if (error instanceof AttuneError) return `attune: ${line}`;
  if (code === "ENOSPC") return `attune: no space left on the disk; nothing half-written was kept (${line})`;
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return `attune: ${line}`;
  return `attune: unexpected error, please report it (--verbose shows where): ${line}`;
}
