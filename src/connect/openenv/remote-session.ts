import { tool } from "../../environment/tool.ts";
import type { Session } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject, JsonSchema } from "../../spec/json.ts";
import type { AssistantMessage, Message } from "../../spec/message.ts";
import { type Tool, ToolError } from "../../spec/tool.ts";
import { broken, type Channel, type Server } from "./channel.ts";
import { FrameError, reservedToolNames, type StepResult } from "./frames.ts";
import { isSilent, messagesIn, textOf, toolErrorOf, toolResultOf } from "./observed.ts";
import { type ServerSchema, toolsIn } from "./server-schema.ts";

/** What is known when a remote episode ends; its rewards are read from here. */
export type RemoteOutcome = {
  /** The server said that the episode is over. */
  done: boolean;
  /** Last reward that was given, and all of them together; null where none ever was. */
  last: number | null;
  sum: number | null;
  steps: number;
  /** Components by name, from the last observation that had some. */
  rewards: Record<string, number | null>;
  /** How our own servers say that the episode ended. */
  status: string | null;
  /** The server's state at the end, where it could still be asked. */
  state: JsonObject | null;
};

/** `mcp`: the server's own tools. `step`: one tool that takes an action. `none`: the agent only speaks. */
export type Moves = "mcp" | "step" | "none";

export type RemoteOptions = {
  server: Server;
  schema: ServerSchema;
  moves: Moves;
  /** Makes an action of a message without tool calls; absent, such a message ends the episode. */
  answer: ((text: string) => JsonObject) | undefined;
  /** Makes an observation what the agent reads. */
  observe: ((observation: JsonObject) => string) | undefined;
  /** Goes before what the server's first observation says. */
  instructions: string | undefined;
};

const isOver = "the episode is over: answer without a tool call to end it";

/** An Attune session on an open channel whose reset was answered with `first`. */
export async function remoteSession(
  channel: Channel,
  {
    first,
    signal,
    release,
    ...options
  }: RemoteOptions & { first: StepResult; signal: AbortSignal; release: () => void },
): Promise<Session> {
  const { server, moves, answer, observe } = options;
  const outcome: RemoteOutcome = {
    done: false,
    last: null,
    sum: null,
    steps: 0,
    rewards: {},
    status: null,
    state: null,
  };
  note(outcome, first);
  const read = (observation: Record<string, unknown>) =>
    observe ? observe(observation as JsonObject) : textOf(observation);

  const step = async (action: Record<string, unknown>, inner: AbortSignal): Promise<StepResult> => {
    try {
      const result = await channel.step(action, inner);
      outcome.steps++;
      note(outcome, result);
      return result;
    } catch (error) {
      throw fromServer(server, error, { policysDoing: true });
    }
  };

  /** What the agent reads after a call, and that there will be no other. */
  const told = (text: string) => (outcome.done ? `${text}\n(${isOver})` : text);

  const stepTool = (): Tool =>
    tool<Record<string, unknown>>({
      name: "step",
      description: "Takes one action in the world and shows what it led to.",
      input: options.schema.action ?? { type: "object" },
      execute: async (action, { signal: inner }) => {
        if (outcome.done) throw new ToolError(isOver);
        const { observation } = await step(action, inner);
        return told(read(observation));
      },
    });

  const mcpTool = ({ name, description, input }: { name: string; description: string; input: JsonSchema }) =>
    tool<Record<string, unknown>>({
      name,
      description,
      input,
      execute: async (given, { signal: inner }) => {
        if (outcome.done) throw new ToolError(isOver);
        const { observation } = await step({ type: "call_tool", tool_name: name, arguments: given }, inner);
        const failure = toolErrorOf(observation);
        if (failure?.type === "timeout" || failure?.type === "transport_error")
          throw broken(server, `tool "${name}": ${failure.type}: ${failure.message}`);
        if (failure) throw new ToolError(told(failure.message));
        const { text, isError } =
          "result" in observation
            ? toolResultOf(observation["result"])
            : { text: read(observation), isError: false };
        if (isError) throw new ToolError(told(text));
        return told(text);
      },
    });

  const tools =
    moves === "mcp"
      ? (await listTools(server, channel, signal)).map(mcpTool)
      : moves === "step"
        ? [stepTool()]
        : [];

  let closing: Promise<void> | undefined;
  return {
    messages: openingOf(first, { ...options, read }),
    tools,
    ...(answer && {
      respond: async ({ content }: AssistantMessage): Promise<Message[] | undefined> => {
        if (outcome.done) return undefined;
        try {
          const { observation, done } = await step(answer(content), signal);
          if (done) return undefined;
          const messages = messagesIn(observation);
          return messages.length > 0 ? messages : [{ role: "user", content: read(observation) }];
        } catch (error) {
          if (!(error instanceof ToolError)) throw error;
          return [{ role: "user", content: `error: ${error.message}` }];
        }
      },
    }),
    outcome: async () => {
      // the episode is over and graded, so a server that has already left changes nothing
      const state = await channel.state(signal).catch(() => null);
      return { ...outcome, state } as Json;
    },
    close: () =>
      (closing ??= (async () => {
        try {
          await channel.close();
        } finally {
          release();
        }
      })()),
  };
}

/** What the server refused, as the policy's mistake where it is one, else as the world's failure. */
export function fromServer(
  server: Server,
  error: unknown,
  { policysDoing }: { policysDoing: boolean },
): Error {
  if (!(error instanceof FrameError)) return error as Error;
  const { code, message, more } = error;
  if (policysDoing && code === "VALIDATION_ERROR") {
    const { errors } = more;
    return new ToolError(errors === undefined ? message : `${message}: ${JSON.stringify(errors)}`);
  }
  return broken(server, `${code}: ${message}`);
}

async function listTools(server: Server, channel: Channel, signal: AbortSignal) {
  let result: StepResult;
  try {
    result = await channel.step({ type: "list_tools" }, signal);
  } catch (error) {
    throw fromServer(server, error, { policysDoing: false });
  }
  const tools = toolsIn(result.observation);
  if (!tools) throw broken(server, "list_tools: got an observation without a list of tools");
  const reserved = tools.find(({ name }) => reservedToolNames.includes(name));
  if (reserved)
    throw broken(server, `list_tools: got a tool "${reserved.name}", which is a name of the protocol's own`);
  try {
    for (const { name, description, input } of tools) tool({ name, description, input, execute: () => "" });
  } catch (error) {
    throw error instanceof AttuneError ? broken(server, `list_tools: ${error.message}`) : error;
  }
  return tools;
}

function openingOf(
  { observation }: StepResult,
  {
    schema,
    moves,
    instructions,
    read,
  }: RemoteOptions & { read: (observation: Record<string, unknown>) => string },
): Message[] {
  const conversation = messagesIn(observation);
  const given: Message[] = instructions ? [{ role: "system", content: instructions }] : [];
  if (conversation.length > 0) return [...given, ...conversation];
  const manner = {
    mcp: "Act by calling the tools.",
    step: 'Act by calling the tool "step".',
    none: "Every message of yours is an action.",
  };
  const said = [schema.description?.replace(/\.?\s*$/, "."), manner[moves]].filter((line) => line).join(" ");
  return [
    ...(given.length > 0 ? given : [{ role: "system", content: said } as const]),
    { role: "user", content: isSilent(observation) ? "The episode begins." : read(observation) },
  ];
}

function note(outcome: RemoteOutcome, { observation, reward, done }: StepResult): void {
  if (done) outcome.done = true;
  if (reward !== null && reward !== undefined) {
    outcome.last = Number(reward);
    outcome.sum = (outcome.sum ?? 0) + Number(reward);
  }
  const { rewards, status } = observation;
  if (typeof status === "string") outcome.status = status;
  if (typeof rewards !== "object" || rewards === null) return;
  for (const [name, value] of Object.entries(rewards))
    if (value === null || typeof value === "number") outcome.rewards[name] = value;
}
