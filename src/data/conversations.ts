import { existsSync } from "node:fs";
import { z } from "zod";
import { type JsonLine, readJsonLines } from "../kit/jsonl.ts";
import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";

const toolCallSchema = z.looseObject({
  id: z.string().optional(),
  function: z.looseObject({
    name: z.string(),
    arguments: z.union([z.string(), z.record(z.string(), z.json())]).default({}),
  }),
});

/** Text, or OpenAI's list of parts; parts that are no text are refused. */
const textSchema = z.union([
  z.string(),
  z
    .array(z.looseObject({ type: z.literal("text"), text: z.string() }))
    .transform((parts) => parts.map(({ text }) => text).join("")),
]);

const messageSchema = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal("system"), content: textSchema }),
  z.looseObject({ role: z.literal("user"), content: textSchema }),
  z.looseObject({
    role: z.literal("assistant"),
    content: textSchema.nullish(),
    tool_calls: z.array(toolCallSchema).optional(),
  }),
  z.looseObject({
    role: z.literal("tool"),
    content: textSchema,
    tool_call_id: z.string().default(""),
    name: z.string().default(""),
  }),
]);

const rowSchema = z.looseObject({ messages: z.array(messageSchema).min(1) });

/** Reads chat rows (`{"messages": […]}`, OpenAI's form) from a JSONL file. What is wrong is named by line and field. */
export async function* readConversations(path: string): AsyncGenerator<Message[]> {
  if (!existsSync(path)) throw new AttuneError("input", `${path}: there is no such file`);
  for await (const { line, value } of linesOf(path)) {
    const parsed = rowSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new AttuneError("input", `${path}:${line}: ${issue.path.join(".") || "row"}: ${issue.message}`);
    }
    yield parsed.data.messages.map((message) => toMessage(message, `${path}:${line}`));
  }
}

/** The lines of a file, where one that is not JSON is the file's fault. */
async function* linesOf(path: string): AsyncGenerator<JsonLine> {
  try {
    yield* readJsonLines(path);
  } catch (error) {
    throw new AttuneError("input", (error as Error).message, { cause: error });
  }
}

function toMessage(message: z.infer<typeof messageSchema>, where: string): Message {
  if (message.role === "tool")
    return { role: "tool", callId: message.tool_call_id, name: message.name, content: message.content };
  if (message.role !== "assistant") return { role: message.role, content: message.content };
  const toolCalls = (message.tool_calls ?? []).map((call, index) => ({
    id: call.id ?? `call_${index}`,
    name: call.function.name,
    arguments: toArguments(call.function.arguments, where),
  }));
  const content = message.content ?? "";
  return toolCalls.length > 0 ? { role: "assistant", content, toolCalls } : { role: "assistant", content };
}

function toArguments(given: string | Record<string, unknown>, where: string) {
  let value: unknown = given;
  try {
    if (typeof given === "string") value = JSON.parse(given);
  } catch {
    throw new AttuneError("input", `${where}: the arguments of a tool call are not JSON`);
  }
  const parsed = z.record(z.string(), z.json()).safeParse(value);
  if (!parsed.success)
    throw new AttuneError("input", `${where}: the arguments of a tool call are not an object`);
  return parsed.data;
}
