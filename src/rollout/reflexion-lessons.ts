import type { Message } from "../spec/message.ts";
import type { PreferencePair } from "../spec/preference.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { messagesOf } from "../trajectory/path.ts";
import { type ReflexionResult, reflectionPrompt } from "./reflexion.ts";

export type Lesson = { messages: Message[]; tools: readonly ToolSpec[] };

/**
 * What a task's trials can teach: a reflection that the solving attempt followed, under the prompt it was asked with;
 * the solution as if it had been found at once, without the memory it was played with; and that solution beside each
 * failure. A task that was solved at once, or never, teaches nothing here.
 */
export function toLessons({ attempts, reflections, solvedAt }: ReflexionResult): {
  sft: Lesson[];
  preferences: PreferencePair[];
} {
  if (solvedAt === null || solvedAt === 0) return { sft: [], preferences: [] };
  const solved = attempts[solvedAt]!;
  const prompt = openingOf(attempts[0]!);
  const { tools } = solved;
  const chosen = turnsOf(solved);
  const failed = attempts.slice(0, solvedAt).filter(({ reward }) => reward !== null);
  const reflection = reflections.at(-1);
  const asked = reflectionPrompt(failed.at(-1) ?? solved, reflections.slice(0, -1));
  return {
    sft: [
      ...(reflection === undefined
        ? []
        : [{ messages: [...asked, { role: "assistant" as const, content: reflection }], tools: [] }]),
      { messages: [...prompt, ...chosen], tools },
    ],
    preferences: failed.map((attempt) => ({ prompt, tools, chosen, rejected: turnsOf(attempt) })),
  };
}

const firstTurn = (messages: readonly Message[]) => {
  const first = messages.findIndex(({ role }) => role === "assistant");
  return first === -1 ? messages.length : first;
};

function openingOf(trajectory: Trajectory): Message[] {
  const messages = messagesOf(trajectory);
  return messages.slice(0, firstTurn(messages));
}

function turnsOf(trajectory: Trajectory): Message[] {
  const messages = messagesOf(trajectory);
  return messages.slice(firstTurn(messages));
}
