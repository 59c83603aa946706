import { z } from "zod";
import type { Json } from "../spec/json.ts";
import type { AssistantMessage, Message } from "../spec/message.ts";
import { openAiError, toLogprobs } from "./chat.ts";
import type { ModelReply } from "./conversation.ts";
import {
  checked,
  createCallNames,
  type Dialect,
  type ReplyContext,
  RequestError,
  readArguments,
  type StreamEvent,
} from "./dialect.ts";
import { offered } from "./offered-tools.ts";

const part = z.looseObject({ type: z.string(), text: z.string().optional() });
const content = z.union([z.string(), z.array(part)]);

const item = z.union([
  z.looseObject({
    type: z.literal("function_call"),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
  z.looseObject({ type: z.literal("function_call_output"), call_id: z.string(), output: content }),
  z.looseObject({ type: z.literal("reasoning") }),
  z.looseObject({
    type: z.literal("message").optional(),
    role: z.enum(["system", "developer", "user", "assistant"]),
    content,
  }),
]);

const body = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(item).min(1)]),
  instructions: z.string().nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).nullish(),
  tool_choice: z
    .union([
      z.enum(["auto", "none", "required"]),
      z.looseObject({ type: z.string(), name: z.string().optional() }),
    ])
    .nullish(),
  max_output_tokens: z.number().int().positive().nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stream: z.boolean().nullish(),
  include: z.array(z.string()).nullish(),
  previous_response_id: z
    .null({ error: "responses are not kept between calls; send the whole conversation as `input`" })
    .optional(),
});

type Item = z.infer<typeof item>;
type Said = { message: Message; extra?: Json };

/** OpenAI Responses. */
export const responses: Dialect = {
  path: "responses",
  read(given) {
    const request = checked(body, given);
    const { instructions, input, temperature, top_p: topP, max_output_tokens: maxTokens } = request;
    const items: Item[] = typeof input === "string" ? [{ role: "user", content: input }] : input;
    const said = toSaid(items);
    if (instructions) said.unshift({ message: { role: "system", content: instructions } });
    const choice = request.tool_choice ?? "auto";
    return {
      call: {
        messages: said.map(({ message }) => message),
        ...(said.some(({ extra }) => extra !== undefined) && { extras: said.map(({ extra }) => extra) }),
        tools: offered(
          (request.tools ?? []).map(toTool),
          typeof choice === "string" ? choice : { name: choice.name ?? "" },
        ),
        ...(maxTokens && { maxTokens }),
        ...(temperature != null && { temperature }),
        ...(topP != null && { topP }),
      },
      model: request.model,
      stream: request.stream ?? false,
      streamUsage: true,
      logprobs: request.include?.includes("message.output_text.logprobs") ?? false,
      tokenIds: false,
    };
  },
  toBody: (reply, context) => toResponse(reply, context),
  async *toEvents(pieces, context) {
    let sequence = 0;
    const event = (type: string, data: object): StreamEvent => ({
      event: type,
      data: { type, sequence_number: sequence++, ...data },
    });
    const begun = { ...toResponse(nothingYet, context), status: "in_progress", output: [], usage: null };
    yield event("response.created", { response: begun });
    yield event("response.in_progress", { response: begun });
    let told = "";
    const message = toMessage("", [], context);
    const at = { output_index: 0, item_id: message.id, content_index: 0 };
    function* openMessage() {
      const open = { ...message, status: "in_progress", content: [] };
      yield event("response.output_item.added", { output_index: 0, item: open });
      yield event("response.content_part.added", { ...at, part: message.content[0] });
    }
    for await (const piece of pieces) {
      if ("text" in piece) {
        if (told === "") yield* openMessage();
        told += piece.text;
        yield event("response.output_text.delta", { ...at, delta: piece.text, logprobs: [] });
        continue;
      }
      const whole = toResponse(piece.reply, context);
      for (const [index, output] of whole.output.entries()) {
        if ("content" in output) {
          const [text] = output.content;
          if (told === "") yield* openMessage();
          const rest = text.text.slice(told.length);
          if (rest !== "" || told === "")
            yield event("response.output_text.delta", { ...at, delta: rest, logprobs: text.logprobs });
          yield event("response.output_text.done", { ...at, text: text.text, logprobs: text.logprobs });
          yield event("response.content_part.done", { ...at, part: text });
        } else {
          const where = { output_index: index, item_id: output.id };
          const open = { ...output, status: "in_progress", arguments: "" };
          yield event("response.output_item.added", { output_index: index, item: open });
          yield event("response.function_call_arguments.delta", { ...where, delta: output.arguments });
          yield event("response.function_call_arguments.done", {
            ...where,
            name: output.name,
            arguments: output.arguments,
          });
        }
        yield event("response.output_item.done", { output_index: index, item: output });
      }
      const type = whole.status === "incomplete" ? "response.incomplete" : "response.completed";
      yield event(type, { response: whole });
    }
  },
  toBroken: ({ message }) => ({
    event: "error",
    data: { type: "error", code: "server_error", message, param: null },
  }),
  toError: openAiError,
};

/** Items as messages: a text and the calls that follow it were one turn. */
function toSaid(items: readonly Item[]): Said[] {
  const names = createCallNames();
  const said: Said[] = [];
  let reasoning: Json[] = [];
  const turn = (): AssistantMessage => {
    const last = said.at(-1)?.message;
    if (last?.role === "assistant") return last;
    const opened: AssistantMessage = { role: "assistant", content: "" };
    said.push({ message: opened, ...(reasoning.length > 0 && { extra: reasoning }) });
    reasoning = [];
    return opened;
  };
  for (const [index, each] of items.entries()) {
    const field = `input.${index}`;
    if (each.type === "reasoning") reasoning.push(each as unknown as Json);
    else if (each.type === "function_call") {
      const { call_id: id, name, arguments: input } = each;
      names.made(id, name);
      const message = turn();
      message.toolCalls = [
        ...(message.toolCalls ?? []),
        { id, name, arguments: readArguments(input, `${field}.arguments`) },
      ];
    } else if (each.type === "function_call_output") {
      const { call_id: callId, output } = each;
      const name = names.answered(callId, `${field}.call_id`);
      const { text, extra } = toText(output, `${field}.output`);
      said.push({ message: { role: "tool", callId, name, content: text }, ...(extra && { extra }) });
    } else {
      const { text, extra } = toText(each.content, `${field}.content`);
      if (each.role === "assistant") {
        const last = said.at(-1)?.message;
        // a text after a turn is a turn of its own
        if (last?.role === "assistant") said.push({ message: { role: "assistant", content: text } });
        else turn().content = text;
      } else {
        const role = each.role === "user" ? "user" : "system";
        said.push({ message: { role, content: text }, ...(extra && { extra }) });
      }
    }
  }
  return said;
}

function toText(given: z.infer<typeof content>, field: string): { text: string; extra?: Json } {
  if (typeof given === "string") return { text: given };
  const isText = (type: string) => /^(input_text|output_text|text|refusal)$/.test(type);
  const beside = given.filter(({ type }) => !isText(type));
  for (const [index, each] of given.entries())
    if (isText(each.type) && each.type !== "refusal" && each.text === undefined)
      throw new RequestError(`${field}.${index}.text`, "expected a text, got none");
  const text = given.filter(({ type }) => isText(type)).map((each) => each.text ?? "");
  return { text: text.join(""), ...(beside.length > 0 && { extra: beside as Json }) };
}

function toTool(given: Record<string, unknown>, index: number) {
  if (given["type"] !== "function" || typeof given["name"] !== "string")
    throw new RequestError(`tools.${index}`, `expected a function, got ${JSON.stringify(given["type"])}`);
  return {
    name: given["name"],
    description: typeof given["description"] === "string" ? given["description"] : "",
    parameters: (given["parameters"] ?? { type: "object", properties: {} }) as Record<string, unknown>,
  };
}

function toOutput(reply: ModelReply, context: ReplyContext) {
  const { content: text, toolCalls = [] } = reply.message;
  const logprobs = context.request.logprobs ? toLogprobs(reply, context) : [];
  const message = toMessage(text, logprobs, context);
  const calls = toolCalls.map(({ id, name, arguments: input }) => ({
    type: "function_call" as const,
    id: `fc_${id}`,
    call_id: id,
    name,
    arguments: JSON.stringify(input),
    status: "completed",
  }));
  return text === "" && calls.length > 0 ? calls : [message, ...calls];
}

function toMessage(text: string, logprobs: ReturnType<typeof toLogprobs>, { id }: ReplyContext) {
  return {
    type: "message" as const,
    id: `msg_${id}`,
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [], logprobs }] as const,
  };
}

/** What a response is before the reply has begun. */
const nothingYet: ModelReply = {
  message: { role: "assistant", content: "" },
  stopReason: "stop",
  prompt: new Int32Array(0),
  tokens: new Int32Array(0),
  logprobs: new Float32Array(0),
};

function toResponse(reply: ModelReply, context: ReplyContext) {
  const { prompt, tokens, stopReason } = reply;
  const cut = stopReason === "length";
  return {
    id: `resp_${context.id}`,
    object: "response",
    created_at: Math.floor(context.createdAt.getTime() / 1000),
    status: cut ? "incomplete" : "completed",
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    error: null,
    instructions: null,
    metadata: {},
    model: context.request.model,
    output: toOutput(reply, context),
    parallel_tool_calls: true,
    temperature: null,
    top_p: null,
    tool_choice: "auto",
    tools: [],
    usage: {
      input_tokens: prompt.length,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: tokens.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: prompt.length + tokens.length,
    },
  };
}
