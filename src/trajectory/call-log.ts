import type { ToolCall } from "../spec/message.ts";
import type { ToolCallRecord, TrajectoryNode } from "../spec/trajectory.ts";
import { callIds, callsOf, type Said, sameMessage } from "./same-message.ts";

type Pending = { call: ToolCall; turn: number; asked: TrajectoryNode; askedAt: number };

export type CallLog = {
  readonly calls: ToolCallRecord[];
  /** Time that passed between replies that asked for tools and the prompts that brought the results. */
  readonly toolMs: number;
  /** Remembers the calls that a recorded reply makes. */
  ask(reply: TrajectoryNode, at: number): void;
  /** Looks for results of remembered calls in messages that a prompt brought for the first time. */
  observe(said: readonly Said[], added: readonly TrajectoryNode[], at: number): void;
};

/** The tool calls of an agent whose tools run elsewhere: what a reply asked for, paired with the result sent next. */
export function createCallLog(): CallLog {
  const calls: ToolCallRecord[] = [];
  const pending = new Map<string, Pending[]>();
  let toolMs = 0;
  return {
    calls,
    get toolMs() {
      return toolMs;
    },
    ask(reply, askedAt) {
      for (const call of reply.message ? callsOf(reply.message) : []) {
        const others = pending.get(call.id) ?? [];
        pending.set(call.id, [...others, { call, turn: reply.turn, asked: reply, askedAt }]);
      }
    },
    observe(said, added, at) {
      let latest = 0;
      const fresh = new Set(added.map(({ message }) => message));
      let asking: Said | undefined;
      for (const each of said) {
        const { message } = each;
        if (message.role === "assistant") asking = each;
        if (message.role !== "tool" || !fresh.has(message) || !asking) continue;
        // ids may come again in later turns, so the message that asked must be the one that was recorded
        const waiting = pending.get(message.callId) ?? [];
        const found = waiting.findLast(({ asked }) => answers(asking!, asked));
        if (!found) continue;
        pending.set(
          message.callId,
          waiting.filter((one) => one !== found),
        );
        const latencyMs = Math.max(0, at - found.askedAt);
        latest = Math.max(latest, latencyMs);
        calls.push({
          turn: found.turn,
          id: found.call.id,
          name: found.call.name,
          arguments: found.call.arguments,
          observation: message.content,
          failure: message.failure ?? null,
          latencyMs,
        });
      }
      toolMs += latest;
    },
  };
}

function answers(asking: Said, { message, extra }: TrajectoryNode): boolean {
  if (!message) return false;
  const ids = callIds(message);
  return sameMessage(asking, { message, extra }) && callIds(asking.message).every((id, at) => id === ids[at]);
}
