import { type Context, Hono } from "hono";
import { AttuneError } from "../spec/error.ts";
import { anthropic } from "./anthropic.ts";
import { readText } from "./body.ts";
import { chat } from "./chat.ts";
import type { Conversation, ModelReply } from "./conversation.ts";
import { type DialectRequest, RequestError, type StreamEvent } from "./dialect.ts";
import { collectPieces } from "./pieces.ts";
import { Refused } from "./refused.ts";
import { responses } from "./responses.ts";

export type DialectAppOptions = {
  /** The conversation that a call belongs to. `trajectory` is what stands in the address, if anything does. */
  conversationFor(call: {
    trajectory: string | undefined;
    key: string | undefined;
    context: Context;
  }): Conversation;
  now(): Date;
  maxBodyBytes?: number;
};

const dialects = [chat, responses, anthropic];

/**
 * OpenAI Chat Completions, OpenAI Responses and Anthropic Messages in front of recorded conversations:
 * `/v1/chat/completions`, `/v1/responses`, `/v1/messages`, and the same behind `/t/TRAJECTORY`. What was sampled is
 * recorded even when the client is gone by then, and a client that asks again for what it did not get (its SDK says
 * so in a header) gets that reply and no second turn.
 */
export function createDialectApp({
  conversationFor,
  now,
  maxBodyBytes = Number.POSITIVE_INFINITY,
}: DialectAppOptions): Hono {
  const app = new Hono();
  const remembered = new WeakMap<Conversation, Map<string, Promise<ModelReply>>>();
  let replies = 0;

  const answer = (conversation: Conversation, about: About, onText?: (piece: string) => void) => {
    const { key, retry, request } = about;
    const known = remembered.get(conversation) ?? new Map<string, Promise<ModelReply>>();
    remembered.set(conversation, known);
    const before = retry ? known.get(key) : undefined;
    if (before) return before;
    const made = conversation.ask({ ...request.call, ...(onText && { onText }) });
    known.delete(key);
    known.set(key, made);
    if (known.size > mostRemembered) known.delete(known.keys().next().value!);
    // a failure is not an answer to give again
    made.catch(() => known.get(key) === made && known.delete(key));
    return made;
  };

  for (const dialect of dialects) {
    const handle = async (context: Context) => {
      let conversation: Conversation | undefined;
      try {
        conversation = conversationFor({
          trajectory: context.req.param("trajectory"),
          key: keyOf(context),
          context,
        });
        const retry = Number(context.req.header("x-stainless-retry-count") ?? 0) > 0;
        const text = await readText(context, maxBodyBytes);
        const request = dialect.read(parse(text));
        const about: About = { key: `${dialect.path} ${text}`, retry, request };
        const speaking = conversation;
        const spoken = { request, id: `${replies++}`, createdAt: now(), tokenizer: speaking.tokenizer };
        if (!request.stream) return context.json(dialect.toBody(await answer(speaking, about), spoken));
        const { first, pieces } = collectPieces((onText) => answer(speaking, about, onText));
        // what fails before its first piece is told by a status
        await first;
        const events = dialect.toEvents(pieces, spoken);
        return new Response(
          toStream(events, (error) => dialect.toBroken(toProblem(error, speaking))),
          {
            headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
          },
        );
      } catch (error) {
        const problem = toProblem(error, conversation);
        return context.json(dialect.toError(problem), problem.status);
      }
    };
    app.post(`/v1/${dialect.path}`, handle);
    app.post(`/t/:trajectory/v1/${dialect.path}`, handle);
  }
  return app;
}

/** Replies of an episode that can be given again. */
const mostRemembered = 16;

/** A call, with what tells it from others. */
type About = { key: string; retry: boolean; request: DialectRequest };

function toProblem(error: unknown, conversation: Conversation | undefined) {
  const status = statusOf(error, conversation);
  const message = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
  return { status, message, ...(error instanceof RequestError && { field: error.field }) } as const;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError("body", "expected JSON");
  }
}

function statusOf(error: unknown, conversation: Conversation | undefined) {
  if (error instanceof Refused) return error.status;
  if (error instanceof RequestError) return 400;
  // what has ended stays so: 410 is what no client tries again
  if (error instanceof AttuneError && error.kind === "usage" && conversation?.ended) return 410;
  return 500;
}

/** What the client gave as its API key, in any of the ways that SDKs do. */
function keyOf({ req }: Context): string | undefined {
  return req.header("x-api-key") ?? /^bearer +(.+)$/i.exec(req.header("authorization") ?? "")?.[1];
}

function toStream(
  events: AsyncIterable<StreamEvent>,
  toBroken: (error: unknown) => StreamEvent,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  const encoded = ({ event, data }: StreamEvent) => {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    return encoder.encode(`${event ? `event: ${event}\n` : ""}data: ${text}\n\n`);
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(encoded(value));
      } catch (error) {
        controller.enqueue(encoded(toBroken(error)));
        controller.close();
      }
    },
  });
}
