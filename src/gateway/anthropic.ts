import { z } from "zod";
import type { Json, JsonObject } from "../spec/json.ts";
import type { Message, ToolCall } from "../spec/message.ts";
import type { ModelReply } from "./conversation.ts";
import { checked, createCallNames, type Dialect, RequestError, type StreamEvent } from "./dialect.ts";
import { offered } from "./offered-tools.ts";

const block = z.looseObject({ type: z.string() });
const content = z.union([z.string(), z.array(block)]);

const body = z.looseObject({
  model: z.string(),
  max_tokens: z.number().int().positive(),
  system: z
    .union([z.string(), z.array(z.looseObject({ type: z.literal("text"), text: z.string() }))])
    .nullish(),
  messages: z.array(z.looseObject({ role: z.enum(["user", "assistant"]), content })).min(1),
  tools: z
    .array(
      z.looseObject({
        name: z.string(),
        description: z.string().nullish(),
        input_schema: z.record(z.string(), z.unknown()),
      }),
    )
    .nullish(),
  tool_choice: z
    .looseObject({ type: z.enum(["auto", "any", "tool", "none"]), name: z.string().optional() })
    .nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().nonnegative().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
});

type Block = z.infer<typeof block>;
type Said = { message: Message; extra?: Json };

/** Anthropic Messages. */
export const anthropic: Dialect = {
  path: "messages",
  read(given) {
    const request = checked(body, given);
    const names = createCallNames();
    const { system, tool_choice: choice, temperature, top_p: topP, top_k: topK } = request;
    const said = request.messages.flatMap((each, index) =>
      toSaid(each.role, each.content, `messages.${index}.content`, names),
    );
    const rules = typeof system === "string" ? system : system?.map(({ text }) => text).join("\n");
    if (rules) said.unshift({ message: { role: "system", content: rules } });
    const tools = (request.tools ?? []).map(({ name, description, input_schema: parameters }) => ({
      name,
      description: description ?? "",
      parameters,
    }));
    return {
      call: {
        messages: said.map(({ message }) => message),
        ...(said.some(({ extra }) => extra !== undefined) && { extras: said.map(({ extra }) => extra) }),
        tools: offered(
          tools,
          choice?.type === "tool" ? { name: choice.name ?? "" } : (choice?.type ?? "auto"),
        ),
        maxTokens: request.max_tokens,
        ...(temperature != null && { temperature }),
        ...(topP != null && { topP }),
        ...(topK != null && { topK }),
        ...(request.stop_sequences?.length && { stop: request.stop_sequences }),
      },
      model: request.model,
      stream: request.stream ?? false,
      streamUsage: true,
      logprobs: false,
      tokenIds: false,
    };
  },
  toBody: (reply, { id, request }) => ({
    ...opening(reply.prompt.length, { id, model: request.model }),
    content: toBlocks(reply),
    stop_reason: stopOf(reply),
    usage: { input_tokens: reply.prompt.length, output_tokens: reply.tokens.length },
  }),
  async *toEvents(pieces, { id, request }) {
    const event = (type: string, data: object): StreamEvent => ({ event: type, data: { type, ...data } });
    const start = (index: number, block: object) =>
      event("content_block_start", { index, content_block: block });
    const delta = (index: number, change: object) => event("content_block_delta", { index, delta: change });
    let told = "";
    let begun = false;
    for await (const piece of pieces) {
      // how much was read is known with the whole reply at the latest
      const read = "reply" in piece ? piece.reply.prompt.length : 0;
      if (!begun) yield event("message_start", { message: opening(read, { id, model: request.model }) });
      begun = true;
      if ("text" in piece) {
        if (told === "") yield start(0, { type: "text", text: "", citations: null });
        told += piece.text;
        yield delta(0, { type: "text_delta", text: piece.text });
        continue;
      }
      const { reply } = piece;
      for (const [index, each] of toBlocks(reply).entries()) {
        if (each.type === "text") {
          if (told === "") yield start(index, { ...each, text: "" });
          const rest = each.text.slice(told.length);
          if (rest !== "" || told === "") yield delta(index, { type: "text_delta", text: rest });
        } else {
          yield start(index, { ...each, input: {} });
          yield delta(index, { type: "input_json_delta", partial_json: JSON.stringify(each.input) });
        }
        yield event("content_block_stop", { index });
      }
      yield event("message_delta", {
        delta: { stop_reason: stopOf(reply), stop_sequence: null },
        usage: { input_tokens: reply.prompt.length, output_tokens: reply.tokens.length },
      });
      yield event("message_stop", {});
    }
  },
  toBroken: ({ message }) => ({
    event: "error",
    data: { type: "error", error: { type: "api_error", message } },
  }),
  toError: ({ status, message, field: _field }) => ({
    type: "error",
    error: {
      type: status >= 500 ? "api_error" : status === 401 ? "authentication_error" : "invalid_request_error",
      message,
    },
  }),
};

/** A message's blocks; the results that open a user's message are messages of their own. */
function toSaid(
  role: "user" | "assistant",
  given: z.infer<typeof content>,
  field: string,
  names: ReturnType<typeof createCallNames>,
): Said[] {
  if (typeof given === "string") return [{ message: { role, content: given } }];
  const said: Said[] = [];
  const texts: string[] = [];
  const calls: ToolCall[] = [];
  const beside: Block[] = [];
  for (const [index, each] of given.entries()) {
    const where = `${field}.${index}`;
    if (each.type === "text") texts.push(read(each, "text", where));
    else if (each.type === "tool_use") {
      const [id, name] = [read(each, "id", where), read(each, "name", where)];
      names.made(id, name);
      calls.push({ id, name, arguments: (each["input"] ?? {}) as JsonObject });
    } else if (each.type === "tool_result") {
      const callId = read(each, "tool_use_id", where);
      const name = names.answered(callId, `${where}.tool_use_id`);
      said.push({ message: { role: "tool", callId, name, content: resultText(each) } });
    } else beside.push(each);
  }
  const extra = beside.length > 0 ? { extra: beside as unknown as Json } : {};
  const text = texts.join("\n");
  if (role === "assistant")
    return [{ message: { role, content: text, ...(calls.length > 0 && { toolCalls: calls }) }, ...extra }];
  if (texts.length > 0 || beside.length > 0 || said.length === 0)
    said.push({ message: { role, content: text }, ...extra });
  return said;
}

function read(given: Block, name: string, field: string): string {
  const value = given[name];
  if (typeof value !== "string")
    throw new RequestError(
      `${field}.${name}`,
      `expected a text, got ${value === undefined ? "none" : typeof value}`,
    );
  return value;
}

function resultText({ content: given = "", is_error: isError }: Block): string {
  const text = Array.isArray(given)
    ? given
        .map((each: Block) => (each.type === "text" ? String(each["text"]) : JSON.stringify(each)))
        .join("\n")
    : String(given);
  return isError ? `error: ${text}` : text;
}

function opening(inputTokens: number, { id, model }: { id: string; model: string }) {
  return {
    id: `msg_${id}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: 0 },
  };
}

function toBlocks({ message: { content: text, toolCalls = [] } }: ModelReply) {
  return [
    ...(text === "" && toolCalls.length > 0 ? [] : [{ type: "text" as const, text, citations: null }]),
    ...toolCalls.map(({ id, name, arguments: input }) => ({ type: "tool_use" as const, id, name, input })),
  ];
}

function stopOf({ stopReason, message: { toolCalls } }: ModelReply) {
  if (stopReason === "length") return "max_tokens";
  return toolCalls?.length ? "tool_use" : "end_turn";
}
