import type { RolloutLimits } from "../spec/environment.ts";
import type { ToolCall, ToolMessage } from "../spec/message.ts";
import { type Tool, ToolError, type ToolFailureKind } from "../spec/tool.ts";
import type { ToolCallRecord } from "../spec/trajectory.ts";
import { DeadlineError, within } from "./deadline.ts";
import { described, truncate } from "./world.ts";

type ToolResult = { text: string; failure: ToolFailureKind | null };

/** Runs the calls of one turn side by side. Results are in the order of the calls. Throws only when stopped. */
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
): Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) {
    const known = tools.map(({ name }) => name).join(", ") || "none";
    return { text: `error: no tool "${call.name}"; tools: ${known}`, failure: "invalid_arguments" };
  }
  const milliseconds = tool.timeoutMs ?? limits.toolTimeoutMs;
  try {
    return await within((inner) => checkAndExecute(tool, call, inner), { milliseconds, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ToolError) return { text: `error: ${error.message}`, failure: "tool_error" };
    if (error instanceof DeadlineError)
      return { text: `tool "${call.name}" ${error.message}`, failure: "timeout" };
    return { text: `tool "${call.name}" failed: ${described(error)}`, failure: "infrastructure" };
  }
}

async function checkAndExecute(tool: Tool, call: ToolCall, signal: AbortSignal): Promise<ToolResult> {
  const checked = await tool.check(call.arguments);
  if (!checked.ok) return { text: `error: ${checked.issues}`, failure: "invalid_arguments" };
  const text: unknown = await tool.execute(checked.value, { signal });
  if (typeof text === "string") return { text, failure: null };
  return {
    text: `tool "${call.name}" returned ${text === null ? "null" : typeof text}, expected a string`,
    failure: "infrastructure",
  };
}
