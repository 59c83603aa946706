import type { RolloutLimits } from "../spec/environment.ts";
import type { ToolCall, ToolMessage } from "../spec/message.ts";
import {
  type ArgumentCheck,
  type Tool,
  type ToolContext,
  ToolError,
  type ToolFailureKind,
} from "../spec/tool.ts";
import type { ToolCallRecord } from "../spec/trajectory.ts";
import { type Clock, DeadlineError, isPromise, within } from "./deadline.ts";
import { described, truncate } from "./world.ts";

type ToolResult = { text: string; failure: ToolFailureKind | null };

type Ran = { message: ToolMessage; record: ToolCallRecord };
type Turn = { tools: readonly Tool[]; turn: number; limits: RolloutLimits; clock: Clock };

/**
 * Runs the calls of one turn side by side. Results are in the order of the calls. Throws only when stopped. Without
 * a promise where no tool needs one: most turns have one call, and most tools answer at once.
 */
export function runTools(calls: readonly ToolCall[], options: Turn): Ran[] | Promise<Ran[]> {
  const running = calls.map((call) => runAndRecord(call, options));
  return running.some(isPromise) ? Promise.all(running.map(async (ran) => ran)) : (running as Ran[]);
}

function runAndRecord(call: ToolCall, options: Turn): Ran | Promise<Ran> {
  const startedAt = performance.now();
  const toRan = (result: ToolResult) => recorded(call, result, { ...options, startedAt });
  const running = runTool(call, options);
  return isPromise(running) ? running.then(toRan) : toRan(running);
}

function recorded(
  call: ToolCall,
  { text, failure }: ToolResult,
  { turn, limits, startedAt }: Turn & { startedAt: number },
): Ran {
  const observation = truncate(text, limits.observationCharacters);
  const { id, name } = call;
  const message: ToolMessage = { role: "tool", callId: id, name, content: observation };
  if (failure) message.failure = failure;
  const latencyMs = performance.now() - startedAt;
  return {
    message,
    record: { turn, id, name, arguments: call.arguments, observation, failure, latencyMs },
  };
}

function runTool(call: ToolCall, { tools, limits, clock }: Turn): ToolResult | Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) {
    const known = tools.map(({ name }) => name).join(", ") || "none";
    return { text: `error: no tool "${call.name}"; tools: ${known}`, failure: "invalid_arguments" };
  }
  const failed = (error: unknown): ToolResult => {
    clock.throwIfStopped();
    if (error instanceof ToolError) return { text: `error: ${error.message}`, failure: "tool_error" };
    if (error instanceof DeadlineError)
      return { text: `tool "${call.name}" ${error.message}`, failure: "timeout" };
    return { text: `tool "${call.name}" failed: ${described(error)}`, failure: "infrastructure" };
  };
  const milliseconds = tool.timeoutMs ?? limits.toolTimeoutMs;
  try {
    const running = within((inner) => checkAndExecute(tool, call, inner), { milliseconds, outer: clock });
    return isPromise(running) ? running.catch(failed) : running;
  } catch (error) {
    return failed(error);
  }
}

/** Without a promise where the tool needs none. */
function checkAndExecute(tool: Tool, call: ToolCall, clock: Clock): ToolResult | Promise<ToolResult> {
  const execute = (checked: ArgumentCheck): ToolResult | Promise<ToolResult> => {
    if (!checked.ok) return { text: `error: ${checked.issues}`, failure: "invalid_arguments" };
    const text = tool.execute(checked.value, new CallContext(clock));
    return isPromise(text) ? text.then((late) => toResult(tool, late)) : toResult(tool, text);
  };
  const checked = tool.check(call.arguments);
  return isPromise(checked) ? checked.then(execute) : execute(checked);
}

/** Makes its signal when it is looked at: most tools answer at once, and a signal is dearer than they are. */
class CallContext implements ToolContext {
  readonly #clock: Clock;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  get signal(): AbortSignal {
    return this.#clock.signal;
  }
}

function toResult({ name }: Tool, text: unknown): ToolResult {
  if (typeof text === "string") return { text, failure: null };
  return {
    text: `tool "${name}" returned ${text === null ? "null" : typeof text}, expected a string`,
    failure: "infrastructure",
  };
}
