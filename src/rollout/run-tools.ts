import type { RolloutLimits } from "../spec/environment.ts";
import type { ToolCall, ToolMessage } from "../spec/message.ts";
import { type Tool, ToolError, type ToolFailureKind } from "../spec/tool.ts";
import type { ToolCallRecord } from "../spec/trajectory.ts";
import { DeadlineError, within } from "./deadline.ts";

/** Runs the calls of one turn side by side. Results are in the order of the calls. Never throws but on abort. */
export async function runTools(
  calls: readonly ToolCall[],
  options: { tools: readonly Tool[]; turn: number; limits: RolloutLimits; signal: AbortSignal },
): Promise<{ message: ToolMessage; record: ToolCallRecord }[]> {
  return Promise.all(
    calls.map(async (call) => {
      const startedAt = performance.now();
      const { text, failure } = await runTool(call, options);
      const observation = truncate(text, options.limits.observationCharacters);
      const { id, name } = call;
      const message: ToolMessage = {
        role: "tool",
        callId: id,
        name,
        content: observation,
        ...(failure && { failure }),
      };
      const record = {
        turn: options.turn,
        ...call,
        observation,
        failure,
        latencyMs: performance.now() - startedAt,
      };
      return { message, record };
    }),
  );
}

async function runTool(
  call: ToolCall,
  { tools, limits, signal }: { tools: readonly Tool[]; limits: RolloutLimits; signal: AbortSignal },
): Promise<{ text: string; failure: ToolFailureKind | null }> {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) {
    const known = tools.map(({ name }) => name).join(", ") || "none";
    return { text: `error: no tool "${call.name}"; tools: ${known}`, failure: "invalid_arguments" };
  }
  try {
    const checked = await tool.check(call.arguments);
    if (!checked.ok) return { text: `error: ${checked.issues}`, failure: "invalid_arguments" };
    const milliseconds = tool.timeoutMs ?? limits.toolTimeoutMs;
    const result: unknown = await within((inner) => tool.execute(checked.value, { signal: inner }), {
      milliseconds,
      signal,
    });
    if (typeof result !== "string") {
      return {
        text: `tool "${call.name}" returned ${typeof result}, expected a string`,
        failure: "infrastructure",
      };
    }
    return { text: result, failure: null };
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    if (error instanceof ToolError) return { text: `error: ${message}`, failure: "tool_error" };
    if (error instanceof DeadlineError) return { text: `tool "${call.name}" ${message}`, failure: "timeout" };
    return { text: `tool "${call.name}" failed: ${message}`, failure: "infrastructure" };
  }
}

function truncate(text: string, characters: number): string {
  if (text.length <= characters) return text;
  return `${text.slice(0, characters)}… (${text.length - characters} more characters)`;
}
