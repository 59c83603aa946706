import { tool } from "../../environment/tool.ts";
import type { Session } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject, JsonSchema } from "../../spec/json.ts";
import type { ToolCall } from "../../spec/message.ts";
import { ToolError } from "../../spec/tool.ts";
import type { Status } from "../../spec/trajectory.ts";
import type { Controller } from "./controller.ts";
import type { Turn, WireMessage } from "./protocol.ts";
import { sinceAgent, textOf, toMessages, toWireCalls } from "./wire-messages.ts";

/** What is known when a sample ends; its rewards are read from here. */
export type SampleOutcome = {
  /** The controller brought the sample to an end; else the agent stopped before. */
  finished: boolean;
  /** The controller's word, and ours for it. */
  status: string;
  ended: Status | null;
  reward: number | null;
  metrics: Record<string, number>;
  result: Json;
  /** Times that the agent acted. */
  rounds: number;
};

const isOver = "the task is over: answer without a tool call to end it";

/** An Attune session on a sample that a controller has started. Cancels it when it is closed before its end. */
export function sampleSession(
  controller: Controller,
  {
    session,
    turn,
    toolTimeoutMs,
    signal,
  }: { session: number | string; turn: Turn; toolTimeoutMs: number; signal: AbortSignal },
): Session {
  const { edition } = turn;
  let last = turn;
  let rounds = 0;
  let sent = 0;
  let stopped = false;

  const interact = async (message: WireMessage, inner: AbortSignal): Promise<WireMessage[]> => {
    rounds++;
    try {
      last = await controller.interact(session, { edition, message, signal: inner });
    } catch (error) {
      // what the worker made of it is not known, so the sample cannot go on
      stopped = true;
      throw error;
    }
    return sinceAgent(last.messages);
  };

  const act = batched(async (calls, inner) => {
    const messages = await interact(toWireCalls(calls), inner);
    return answersTo(calls, messages, last.finished);
  });

  const tools = turn.tools.map(({ name, description, parameters }) =>
    tool<JsonObject>({
      name,
      description: description ?? "",
      input: { type: "object", ...parameters } as JsonSchema,
      timeoutMs: toolTimeoutMs,
      execute: async (given, context) => {
        if (last.finished) throw new ToolError(isOver);
        if (stopped) throw new AttuneError("environment", "AgentBench: the sample broke off");
        return act({ id: `call_${sent++}`, name, arguments: given }, context.signal);
      },
    }),
  );

  let closing: Promise<void> | undefined;
  return {
    messages: toMessages(turn.messages),
    tools,
    respond: async ({ content }) => {
      if (last.finished) return undefined;
      const messages = toMessages(await interact({ role: "assistant", content }, signal));
      if (last.finished) return undefined;
      if (messages.length === 0)
        throw new AttuneError("environment", "AgentBench: the task goes on without a message, expected some");
      return messages.map((message) => ({ role: "user", content: message.content }));
    },
    outcome: (): Json => {
      const { finished, status, ended, reward, metrics, result } = last;
      return { finished, status, ended, reward, metrics, result, rounds } satisfies SampleOutcome;
    },
    close: () =>
      (closing ??= (async () => {
        if (!last.finished) await controller.cancel(session, edition);
      })()),
  };
}

type Answers = ReadonlyMap<string, string>;

/**
 * Calls that are made in the same turn of the event loop, as the calls of one message are, go out together: a worker
 * counts rounds by messages.
 */
function batched(
  send: (calls: ToolCall[], signal: AbortSignal) => Promise<Answers>,
): (call: ToolCall, signal: AbortSignal) => Promise<string> {
  let open: { calls: ToolCall[]; answers: Promise<Answers> } | undefined;
  return async (call, signal) => {
    if (open) open.calls.push(call);
    else {
      const calls = [call];
      const together = new Promise((resolve) => setImmediate(resolve));
      const answers = together.then(() => {
        open = undefined;
        return send(calls, signal);
      });
      open = { calls, answers };
    }
    return (await open.answers).get(call.id)!;
  };
}

/** Each call's answer; whatever else was said goes with the last, for an agent reads on from there. */
function answersTo(calls: readonly ToolCall[], messages: readonly WireMessage[], finished: boolean): Answers {
  const byId = new Map<string, string>();
  const rest: string[] = [];
  for (const message of messages) {
    const id = message.role === "tool" ? message.tool_call_id : undefined;
    if (id != null && calls.some((call) => call.id === id)) byId.set(id, textOf(message));
    else rest.push(textOf(message));
  }
  return new Map(
    calls.map(({ id }, index) => {
      const isLast = index === calls.length - 1;
      const parts = [byId.get(id), ...(isLast ? rest : []), isLast && finished ? `(${isOver})` : undefined];
      return [id, parts.filter((part) => part).join("\n") || "ok"];
    }),
  );
}
