import type { RolloutLimits } from "../spec/environment.ts";
import type { ToolCall, ToolMessage } from "../spec/message.ts";
import { type ArgumentCheck, type Tool, ToolError, type ToolFailureKind } from "../spec/tool.ts";
import type { ToolCallRecord } from "../spec/trajectory.ts";
import { type Clock, DeadlineError, isPromise, within } from "./deadline.ts";
import { described, truncate } from "./world.ts";

type ToolResult = { text: string; failure: ToolFailureKind | null };

/** Runs the calls of one turn side by side. Results are in the order of the calls. Throws only when stopped. */
export async function runTools(
  calls: readonly ToolCall[],
  options: { tools: readonly Tool[]; turn: number; limits: RolloutLimits; clock: Clock },
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
  { tools, limits, clock }: { tools: readonly Tool[]; limits: RolloutLimits; clock: Clock },
): Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) {
    const known = tools.map(({ name }) => name).join(", ") || "none";
    return { text: `error: no tool "${call.name}"; tools: ${known}`, failure: "invalid_arguments" };
  }
  const milliseconds = tool.timeoutMs ?? limits.toolTimeoutMs;
  try {
    return await within((inner) => checkAndExecute(tool, call, inner), { milliseconds, outer: clock });
  } catch (error) {
    clock.throwIfStopped();
    if (error instanceof ToolError) return { text: `error: ${error.message}`, failure: "tool_error" };
    if (error instanceof DeadlineError)
      return { text: `tool "${call.name}" ${error.message}`, failure: "timeout" };
    return { text: `tool "${call.name}" failed: ${described(error)}`, failure: "infrastructure" };
  }
}

/** Without a promise where the tool needs none. */
function checkAndExecute(tool: Tool, call: ToolCall, clock: Clock): ToolResult | Promise<ToolResult> {
  const execute = (checked: ArgumentCheck): ToolResult | Promise<ToolResult> => {
    if (!checked.ok) return { text: `error: ${checked.issues}`, failure: "invalid_arguments" };
    const text = tool.execute(checked.value, { signal: clock.signal });
    return isPromise(text) ? text.then((late) => toResult(tool, late)) : toResult(tool, text);
  };
  const checked = tool.check(call.arguments);
  return isPromise(checked) ? checked.then(execute) : execute(checked);
}

function toResult({ name }: Tool, text: unknown): ToolResult {
  if (typeof text === "string") return { text, failure: null };
  return {
    text: `tool "${name}" returned ${text === null ? "null" : typeof text}, expected a string`,
    failure: "infrastructure",
  };
}
