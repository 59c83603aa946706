import { z } from "zod";
import type { Json } from "../spec/json.ts";
import type { Message } from "../spec/message.ts";
import type { ModelReply } from "./conversation.ts";
import {
  checked,
  createCallNames,
  type Dialect,
  type ReplyContext,
  RequestError,
  readArguments,
} from "./dialect.ts";
import { offered } from "./offered-tools.ts";

const part = z.looseObject({ type: z.string(), text: z.string().optional() });
const content = z.union([z.string(), z.array(part)]);

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer"]), content }),
  z.looseObject({ role: z.literal("user"), content }),
  z.looseObject({
    role: z.literal("assistant"),
    content: content.nullish(),
    tool_calls: z
      .array(
        z.looseObject({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }),
      )
      .nullish(),
  }),
  z.looseObject({ role: z.literal("tool"), tool_call_id: z.string(), content }),
]);

const body = z.looseObject({
  model: z.string(),
  messages: z.array(message).min(1),
  tools: z
    .array(
      z.looseObject({
        type: z.literal("function"),
        function: z.looseObject({
          name: z.string(),
          description: z.string().nullish(),
          parameters: z.record(z.string(), z.unknown()).nullish(),
        }),
      }),
    )
    .nullish(),
  tool_choice: z
    .union([
      z.enum(["auto", "none", "required"]),
      z.looseObject({ function: z.looseObject({ name: z.string() }) }),
    ])
    .nullish(),
  max_tokens: z.number().int().positive().nullish(),
  max_completion_tokens: z.number().int().positive().nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  n: z.literal(1, { error: "expected 1: a trajectory takes one reply at a time" }).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  logprobs: z.boolean().nullish(),
  return_token_ids: z.boolean().nullish(),
});

type Said = { message: Message; extra?: Json };

/** OpenAI Chat Completions. */
export const chat: Dialect = {
  path: "chat/completions",
  read(given) {
    const request = checked(body, given);
    const names = createCallNames();
    const said = request.messages.map((each, index) => toSaid(each, `messages.${index}`, names));
    const { tool_choice: choice, stop, temperature, top_p: topP } = request;
    const maxTokens = request.max_completion_tokens ?? request.max_tokens;
    const tools = (request.tools ?? []).map(({ function: { name, description, parameters } }) => ({
      name,
      description: description ?? "",
      parameters: parameters ?? { type: "object", properties: {} },
    }));
    return {
      call: {
        messages: said.map((each) => each.message),
        ...(said.some(({ extra }) => extra !== undefined) && { extras: said.map(({ extra }) => extra) }),
        tools: offered(tools, typeof choice === "string" || !choice ? (choice ?? "auto") : choice.function),
        ...(maxTokens && { maxTokens }),
        ...(temperature != null && { temperature }),
        ...(topP != null && { topP }),
        ...(stop != null && { stop: [stop].flat() }),
      },
      model: request.model,
      stream: request.stream ?? false,
      streamUsage: request.stream_options?.include_usage ?? false,
      logprobs: request.logprobs ?? false,
      tokenIds: request.return_token_ids ?? false,
    };
  },
  toBody(reply, context) {
    const { content: text, toolCalls } = reply.message;
    return {
      ...heading("chat.completion", context),
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text === "" && toolCalls ? null : text,
            refusal: null,
            ...(toolCalls && { tool_calls: toCalls(reply) }),
          },
          logprobs: context.request.logprobs ? { content: toLogprobs(reply, context), refusal: null } : null,
          finish_reason: finishOf(reply),
          ...(context.request.tokenIds && { token_ids: [...reply.tokens] }),
        },
      ],
      ...(context.request.tokenIds && { prompt_token_ids: [...reply.prompt] }),
      usage: usageOf(reply),
    };
  },
  async *toEvents(pieces, context) {
    const chunk = (delta: object, rest: object = {}) => ({
      data: {
        ...heading("chat.completion.chunk", context),
        choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...rest }],
      },
    });
    const { logprobs, tokenIds, streamUsage } = context.request;
    yield chunk({ role: "assistant", content: "", refusal: null });
    let told = 0;
    for await (const piece of pieces) {
      if ("text" in piece) {
        told += piece.text.length;
        yield chunk({ content: piece.text });
        continue;
      }
      const { reply } = piece;
      const text = reply.message.content.slice(told);
      const extras = {
        ...(logprobs && { logprobs: { content: toLogprobs(reply, context), refusal: null } }),
        ...(tokenIds && { token_ids: [...reply.tokens] }),
      };
      if (text !== "" || Object.keys(extras).length > 0) yield chunk({ content: text }, extras);
      for (const [index, call] of toCalls(reply).entries()) yield chunk({ tool_calls: [{ index, ...call }] });
      yield chunk({}, { finish_reason: finishOf(reply) });
      if (streamUsage)
        yield { data: { ...heading("chat.completion.chunk", context), choices: [], usage: usageOf(reply) } };
    }
    yield { data: "[DONE]" };
  },
  toBroken: (error) => ({ data: openAiError(error) }),
  toError: openAiError,
};

/** The error shape that both of OpenAI's APIs have. */
export function openAiError({
  status,
  message: text,
  field,
}: {
  status: number;
  message: string;
  field?: string;
}) {
  const type =
    status >= 500 ? "server_error" : status === 401 ? "authentication_error" : "invalid_request_error";
  return { error: { message: text, type, param: field ?? null, code: null } };
}

/** The log-probability of every token, as OpenAI writes it. */
export function toLogprobs({ tokens, logprobs }: ModelReply, { tokenizer }: ReplyContext) {
  return Array.from(tokens, (id, index) => ({
    token: tokenizer?.decode([id]) ?? String(id),
    logprob: logprobs[index]!,
    bytes: tokenizer ? [...tokenizer.bytesOf(id)] : null,
    top_logprobs: [],
  }));
}

function toSaid(
  given: z.infer<typeof message>,
  field: string,
  names: ReturnType<typeof createCallNames>,
): Said {
  const { text, extra } = toText(given.content ?? "", `${field}.content`);
  const beside = extra === undefined ? {} : { extra };
  switch (given.role) {
    case "system":
    case "developer":
      return { message: { role: "system", content: text }, ...beside };
    case "user":
      return { message: { role: "user", content: text }, ...beside };
    case "tool": {
      const { tool_call_id: callId } = given;
      const name = names.answered(callId, `${field}.tool_call_id`);
      return { message: { role: "tool", callId, name, content: text }, ...beside };
    }
    case "assistant": {
      const toolCalls = (given.tool_calls ?? []).map(
        ({ id, function: { name, arguments: input } }, index) => {
          names.made(id, name);
          return {
            id,
            name,
            arguments: readArguments(input, `${field}.tool_calls.${index}.function.arguments`),
          };
        },
      );
      return {
        message: { role: "assistant", content: text, ...(toolCalls.length > 0 && { toolCalls }) },
        ...beside,
      };
    }
  }
}

/** The text of a message's parts; images and files go beside it. */
function toText(given: z.infer<typeof content>, field: string): { text: string; extra?: Json } {
  if (typeof given === "string") return { text: given };
  const beside = given.filter(({ type }) => type !== "text" && type !== "refusal");
  const text = given.map((each, index) => {
    if (each.type === "text" && each.text === undefined)
      throw new RequestError(`${field}.${index}.text`, "expected a text, got none");
    return each.text ?? "";
  });
  return { text: text.join(""), ...(beside.length > 0 && { extra: beside as Json }) };
}

function heading(object: string, { request, id, createdAt }: ReplyContext) {
  const created = Math.floor(createdAt.getTime() / 1000);
  return { id: `chatcmpl-${id}`, object, created, model: request.model };
}

function toCalls({ message: { toolCalls = [] } }: ModelReply) {
  return toolCalls.map(({ id, name, arguments: input }) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function finishOf({ stopReason, message: { toolCalls } }: ModelReply) {
  if (stopReason === "length") return "length";
  return toolCalls?.length ? "tool_calls" : "stop";
}

function usageOf({ prompt, tokens }: ModelReply) {
  const [input, output] = [prompt.length, tokens.length];
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
