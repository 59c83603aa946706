import type { JsonObject, JsonSchema } from "./json.ts";

/**
 * Why a tool call failed. The first two are the policy's doing and come back to it as an observation; the last two
 * are not: a timeout is the tool's and `infrastructure` is the world's, and neither ever counts against the policy.
 */
export type ToolFailureKind = "invalid_arguments" | "tool_error" | "timeout" | "infrastructure";

/** What the model is shown of a tool. */
export type ToolSpec = { name: string; description: string; parameters: JsonSchema };

export type ToolContext = { signal: AbortSignal };

export type ArgumentCheck = { ok: true; value: unknown } | { ok: false; issues: string };

/** A tool of a session, as `tool()` in the environment room makes it. */
export interface Tool extends ToolSpec {
  /** Milliseconds one call may take; the rollout's own limit applies when absent. */
  timeoutMs?: number;
  /** Checks (and may transform) the arguments the model wrote. Never throws. */
  check(input: JsonObject): ArgumentCheck | Promise<ArgumentCheck>;
  /**
   * Runs on a checked value. Returns the observation's text. Throw `ToolError` for a failure that the policy
   * caused and should see; anything else thrown is an infrastructure failure.
   */
  execute(value: unknown, context: ToolContext): string | Promise<string>;
}

/** A failure of a tool that the policy caused (a missing file, a bad query) and that it is shown as `error: …`. */
export class ToolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ToolError";
  }
}
