import type { Json } from "../../spec/json.ts";
import type { ToolCall } from "../../spec/message.ts";
import type { ToolFailureKind } from "../../spec/tool.ts";
import type { Trajectory, TrajectoryNode } from "../../spec/trajectory.ts";
import type { ImportOptions } from "./format.ts";
import { type ReadMessage, readArguments, readTools, toTrajectory } from "./imported.ts";
import { type Fields, isObject, listAt, objectAt, type Spot, textAt, within, wrong } from "./spot.ts";

/** An ATIF document of any 1.x, and the documents of its sub-agents after it. */
export function* fromAtif(root: Fields, spot: Spot, { warn }: ImportOptions): Generator<Trajectory> {
  const version = textAt(root.schema_version, within(spot, "schema_version"));
  const [, major, minor] = /^ATIF-v(\d+)\.(\d+)$/.exec(version) ?? [];
  if (major !== "1") throw wrong(within(spot, "schema_version"), "ATIF-v1.0 to ATIF-v1.7", version);
  if (Number(minor) > 7)
    warn?.(`${spot.file}: ${version} is newer than ATIF-v1.7; what is new in it is not read`);
  const agent = objectAt(root.agent, within(spot, "agent"));
  const name = textAt(agent.name, within(within(spot, "agent"), "name"));
  const embedded = root.subagent_trajectories ?? [];
  const own = isObject(root.extra) && isObject(root.extra.attune) ? root.extra.attune : {};
  const id = firstText(own.id, root.trajectory_id, root.session_id);
  if (id === undefined)
    throw wrong(within(spot, Number(minor) < 7 ? "session_id" : "trajectory_id"), "a text", root.session_id);
  for (const left of ["continued_trajectory_ref", "notes"])
    if (root[left] !== undefined && root[left] !== null) warn?.(`${spot.file}: ${left} of ${id} is not read`);
  const messages = readSteps(listAt(root.steps, within(spot, "steps")), within(spot, "steps"), (what) =>
    warn?.(`${spot.file}: ${what}`),
  );
  const trajectory = toTrajectory(messages.said, {
    spot,
    tools: readTools(agent.tool_definitions, within(within(spot, "agent"), "tool_definitions")),
    ...(own as Partial<Trajectory>),
    id,
    ...(own.group === undefined && { group: id }),
    player: name,
  });
  yield withPrompts(trajectory, messages.prompts);
  for (const [index, each] of listAt(embedded, within(spot, "subagent_trajectories")).entries()) {
    const at = within(within(spot, "subagent_trajectories"), index);
    const inner = objectAt(each, at);
    textAt(inner.trajectory_id, within(at, "trajectory_id"));
    yield* fromAtif({ schema_version: version, ...inner }, at, warn ? { warn } : {});
  }
}

const firstText = (...values: unknown[]) =>
  values.find((value): value is string => typeof value === "string" && value !== "");

function readSteps(steps: readonly unknown[], spot: Spot, warn: (what: string) => void) {
  const said: ReadMessage[] = [];
  /** Token ids of the prompt, by turn. */
  const prompts: (readonly number[] | undefined)[] = [];
  for (const [index, each] of steps.entries()) {
    const at = within(spot, index);
    const step = objectAt(each, at);
    if (step.step_id !== index + 1) throw wrong(within(at, "step_id"), `${index + 1}`, step.step_id);
    const { text, extra } = readMessage(step, at);
    const kept = isObject(step.extra) && isObject(step.extra.attune) ? step.extra.attune : {};
    const node: Partial<TrajectoryNode> = { ...(extra !== undefined && { extra }), ...kept };
    const calls = readCalls(step, at);
    if (step.source === "agent") {
      const learn = step.is_copied_context !== true && step.llm_call_count !== 0;
      const { prompt, ...tokens } = readTokens(step, at);
      prompts.push(prompt);
      const toolCalls = calls.length > 0 && { toolCalls: calls };
      said.push({
        message: { role: "assistant", content: text, ...toolCalls },
        learn,
        spot: at,
        node: {
          ...node,
          ...tokens,
          ...(tokens.tokens && !kept.gap && { gap: undefined }),
        } as Partial<TrajectoryNode>,
      });
    } else if (step.source === "system" || step.source === "user") {
      if (calls.length > 0)
        throw wrong(within(at, "tool_calls"), "calls on steps of the agent only", step.source);
      said.push({ message: { role: step.source, content: text }, learn: false, spot: at, node });
    } else throw wrong(within(at, "source"), "system, user or agent", step.source);
    said.push(...readResults(step, at, calls, warn));
  }
  return { said, prompts };
}

function readMessage(step: Fields, at: Spot): { text: string; extra?: Json } {
  const kept: { [key: string]: Json } = {};
  if (typeof step.reasoning_content === "string") kept.reasoning_content = step.reasoning_content;
  let text = "";
  if (Array.isArray(step.message)) {
    const parts = step.message.map((part, index) => objectAt(part, within(within(at, "message"), index)));
    text = parts.map((part) => (typeof part.text === "string" ? part.text : "")).join("");
    if (parts.some(({ type }) => type !== "text")) kept.message = step.message as Json;
  } else text = textAt(step.message ?? (step.source === "agent" ? "" : undefined), within(at, "message"));
  return Object.keys(kept).length > 0 ? { text, extra: kept } : { text };
}

function readCalls(step: Fields, at: Spot): ToolCall[] {
  const spot = within(at, "tool_calls");
  return listAt(step.tool_calls ?? [], spot).map((each, index) => {
    const place = within(spot, index);
    const call = objectAt(each, place);
    return {
      id: textAt(call.tool_call_id, within(place, "tool_call_id")),
      name: textAt(call.function_name, within(place, "function_name")),
      arguments: readArguments(call.arguments, within(place, "arguments")),
    };
  });
}

function readResults(
  step: Fields,
  at: Spot,
  calls: readonly ToolCall[],
  warn: (what: string) => void,
): ReadMessage[] {
  if (step.observation === undefined || step.observation === null) return [];
  const inside = within(at, "observation");
  const spot = within(inside, "results");
  return listAt(objectAt(step.observation, inside).results, spot).map((each, index): ReadMessage => {
    const place = within(spot, index);
    const result = objectAt(each, place);
    const content = Array.isArray(result.content)
      ? result.content
          .map((part) => (isObject(part) && typeof part.text === "string" ? part.text : ""))
          .join("")
      : textAt(result.content ?? "", within(place, "content"));
    if (result.subagent_trajectory_ref != null) warn(`${place.field}.subagent_trajectory_ref is not read`);
    const own = isObject(result.extra) ? result.extra : {};
    const parts = Array.isArray(result.content) && { extra: { content: result.content as Json } };
    const kept = isObject(own.attune) ? own.attune : {};
    const node = { ...parts, ...kept } as Partial<TrajectoryNode>;
    // what comes without a call is said by the world of its own accord
    if (result.source_call_id == null && calls.length === 0)
      return { message: { role: "user", content }, learn: false, spot: place, node };
    const callId = result.source_call_id ?? (calls.length === 1 ? calls[0]!.id : undefined);
    const field = within(place, "source_call_id");
    const call = calls.find(({ id }) => id === callId);
    if (!call) throw wrong(field, "the id of a call of this step", callId);
    const failure = typeof own.failure === "string" && { failure: own.failure as ToolFailureKind };
    return {
      message: { role: "tool", callId: call.id, name: call.name, content, ...failure },
      learn: false,
      spot: field,
      node,
    };
  });
}

function readTokens(
  step: Fields,
  at: Spot,
): Partial<Pick<TrajectoryNode, "tokens" | "logprobs" | "sampled">> & { prompt?: readonly number[] } {
  if (step.metrics == null) return {};
  const spot = within(at, "metrics");
  const metrics = objectAt(step.metrics, spot);
  const numbers = (key: string) =>
    metrics[key] == null ? undefined : (listAt(metrics[key], within(spot, key)) as number[]);
  const prompt = numbers("prompt_token_ids");
  const ids = numbers("completion_token_ids");
  const logprobs = numbers("logprobs");
  if (!ids) return {};
  if (logprobs && logprobs.length !== ids.length)
    throw wrong(within(spot, "logprobs"), `${ids.length} of them, one for each token`, logprobs.length);
  return {
    ...(prompt && { prompt }),
    tokens: Int32Array.from(ids),
    logprobs: logprobs ? Float32Array.from(logprobs) : null,
    sampled: logprobs !== undefined,
  };
}

/**
 * Gives what stands before each turn the tokens that its prompt has and the turns before it have not, on the message
 * just before the turn. Where a prompt does not go on from what was there, its tokens stay a gap.
 */
function withPrompts(
  trajectory: Trajectory,
  prompts: readonly (readonly number[] | undefined)[],
): Trajectory {
  const nodes = trajectory.nodes.map((node) => ({ ...node }));
  let sofar: number[] = [];
  let turn = 0;
  let from = 0;
  for (const [index, node] of nodes.entries()) {
    if (node.message?.role !== "assistant") continue;
    const prompt = prompts[turn++];
    const before = nodes.slice(from, index);
    from = index + 1;
    if (
      !prompt ||
      node.tokens.length === 0 ||
      !sofar.every((token, at) => prompt[at] === token) ||
      !before.length
    )
      break;
    for (const each of before) delete each.gap;
    before.at(-1)!.tokens = Int32Array.from(prompt.slice(sofar.length));
    if (!node.gap?.length) delete node.gap;
    sofar = [...prompt, ...node.tokens];
  }
  return { ...trajectory, nodes };
}
