import { z } from "zod";
import type { Message } from "../../spec/message.ts";
import { type StepResult, shown } from "./frames.ts";

const messageSchema = z.looseObject({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string().min(1),
});

const contentSchema = z.looseObject({ type: z.literal("text"), text: z.string() });

const errorSchema = z.looseObject({ error_type: z.string(), message: z.string() });

/** Parts of an observation that are for whoever drives the world, not for the agent. */
const notForAgents = new Set(["metadata", "reward", "done", "rewards"]);

/** The messages in an observation, where it has a list of nothing else. */
export function messagesIn({ messages }: Record<string, unknown>): Message[] {
  const result = z.array(messageSchema).min(1).safeParse(messages);
  return result.success ? result.data.map(({ role, content }) => ({ role, content }) as Message) : [];
}

/** An observation as the agent reads it: its text where it holds only that, else JSON; "ok" where it says nothing. */
export function textOf(observation: Record<string, unknown>): string {
  const parts = partsOf(observation);
  const [only] = parts;
  if (!only) return "ok";
  if (parts.length === 1 && typeof only[1] === "string") return only[1];
  return JSON.stringify(Object.fromEntries(parts));
}

/** Whether an observation has nothing for the agent to read. */
export const isSilent = (observation: Record<string, unknown>) => partsOf(observation).length === 0;

const partsOf = (observation: Record<string, unknown>) =>
  Object.entries(observation).filter(
    ([name, value]) => !notForAgents.has(name) && value !== null && value !== "",
  );

/** What an MCP tool gave back: its texts, or whatever it was as JSON. */
export function toolResultOf(result: unknown): { text: string; isError: boolean } {
  if (typeof result === "string") return { text: result, isError: false };
  const { content, isError, is_error } = (result ?? {}) as Record<string, unknown>;
  const failed = isError === true || is_error === true;
  const texts = z.array(contentSchema).safeParse(content);
  if (texts.success) return { text: texts.data.map(({ text }) => text).join("\n") || "ok", isError: failed };
  return { text: result === null || result === undefined ? "ok" : JSON.stringify(result), isError: failed };
}

/** The protocol's own word on a call that did not work, if there is one. */
export function toolErrorOf({
  error,
}: StepResult["observation"]): { type: string; message: string } | undefined {
  if (error === null || error === undefined) return undefined;
  const result = errorSchema.safeParse(error);
  return result.success
    ? { type: result.data.error_type, message: result.data.message }
    : { type: "execution_error", message: shown(error) };
}
