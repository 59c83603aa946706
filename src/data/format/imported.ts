import { basename } from "node:path";
import type { Json, JsonObject } from "../../spec/json.ts";
import type { Message } from "../../spec/message.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import type { Gap, Trajectory, TrajectoryNode } from "../../spec/trajectory.ts";
import { trajectorySchema } from "../../trajectory/schema.ts";
import { type Fields, isObject, listAt, objectAt, type Spot, textAt, within, wrong } from "./spot.ts";

/** A message of a foreign file, with what is known of how it came about. */
export type ReadMessage = {
  message: Message;
  /** Whether a loss may look at it; of no meaning unless the assistant said it. */
  learn: boolean;
  spot: Spot;
  node?: Partial<TrajectoryNode>;
};

/**
 * A trajectory of one path from the messages of a foreign file. Token ids that the file does not hold are a gap.
 * Refuses tool results that answer no call and names where they stand.
 */
export function toTrajectory(
  messages: readonly ReadMessage[],
  { spot, tools, ...known }: { spot: Spot; tools: readonly ToolSpec[] } & Partial<Trajectory>,
): Trajectory {
  const nodes: TrajectoryNode[] = [];
  const calls: Trajectory["calls"] = [];
  const open = new Map<string, { id: string; name: string; arguments: JsonObject }>();
  let turn = 0;
  for (const { message, learn, spot: at, node } of messages) {
    let said = message;
    if (message.role === "assistant") {
      open.clear();
      for (const call of message.toolCalls ?? []) open.set(call.id, call);
    } else if (message.role === "tool") {
      const call = open.get(message.callId);
      if (!call)
        throw wrong(
          at,
          `the result of a call that the turn before it made (${list(open.keys())})`,
          message.callId,
        );
      open.delete(message.callId);
      said = { ...message, name: call.name };
      calls.push({
        turn: turn - 1,
        id: call.id,
        name: call.name,
        arguments: call.arguments,
        observation: message.content,
        failure: message.failure ?? null,
        latencyMs: 0,
      });
    }
    nodes.push({
      parent: nodes.length === 0 ? null : nodes.length - 1,
      turn,
      message: said,
      tokens: new Int32Array(0),
      logprobs: null,
      sampled: false,
      mask: message.role === "assistant" && learn,
      policyVersion: null,
      gap: ["tokens"] satisfies Gap[],
      ...node,
    });
    if (message.role === "assistant") turn++;
  }
  const id = known.id ?? `${basename(spot.file)}${spot.line === undefined ? "" : `-${spot.line}`}`;
  return checked(
    {
      format: 1,
      id,
      player: "imported",
      step: 0,
      group: id,
      sample: 0,
      attempt: 0,
      seed: 0,
      task: { id, environment: "imported", kind: "imported", input: firstQuestion(messages), split: "train" },
      tools: [...tools],
      nodes,
      calls,
      status: "completed",
      rewards: {},
      reward: null,
      timing: { samplingMs: 0, toolMs: 0, gradingMs: 0, wallMs: 0 },
      ...known,
    },
    spot,
  );
}

/** The record itself, or the field of it that is not what it must be. */
export function checked(value: unknown, spot: Spot): Trajectory {
  const parsed = trajectorySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const field = path.map(String).join(".");
  throw wrong({ ...spot, field }, message.replace(/^expected /, ""), lookUp(value, path));
}

const lookUp = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inside, key) => (inside as Fields | undefined)?.[key as string], value);

const list = (ids: Iterable<string>) => [...ids].map((id) => JSON.stringify(id)).join(", ") || "none is open";

function firstQuestion(messages: readonly ReadMessage[]): Json {
  return messages.find(({ message }) => message.role === "user")?.message.content ?? "";
}

/** Tools as OpenAI describes them, as a list or as JSON in a text; a bare list of functions is read as well. */
export function readTools(value: unknown, spot: Spot): ToolSpec[] {
  if (value === undefined || value === null || value === "") return [];
  let given = value;
  if (typeof value === "string") {
    try {
      given = JSON.parse(value);
    } catch {
      throw wrong(spot, "a list of tools, or JSON of one", value);
    }
  }
  return listAt(given, spot).map((each, index) => {
    const at = within(spot, index);
    const outer = objectAt(each, at);
    const inner = outer.function === undefined ? outer : objectAt(outer.function, within(at, "function"));
    const place = outer.function === undefined ? at : within(at, "function");
    const { description, parameters } = inner;
    return {
      name: textAt(inner.name, within(place, "name")),
      description: typeof description === "string" ? description : "",
      parameters: isObject(parameters) ? parameters : { type: "object", properties: {} },
    };
  });
}

/** Arguments of a call: an object, or JSON of one. */
export function readArguments(value: unknown, spot: Spot): JsonObject {
  if (value === undefined || value === null || value === "") return {};
  let given = value;
  if (typeof value === "string") {
    try {
      given = JSON.parse(value);
    } catch {
      throw wrong(spot, "arguments as JSON", value);
    }
  }
  if (isObject(given)) return given as JsonObject;
  throw wrong(spot, "arguments as an object", given);
}
