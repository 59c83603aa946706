import type { z } from "zod";
import { AttuneError } from "../spec/error.ts";
import type { Tokenizer } from "../spec/tokenizer.ts";
import type { ModelCall, ModelReply } from "./conversation.ts";
import type { Pieces } from "./pieces.ts";

/** How one vendor's HTTP API asks a model and is answered. */
export type Dialect = {
  /** The last part of the address, e.g. `chat/completions`. */
  path: string;
  /** Reads a request's body. Throws `RequestError`, which names the field. */
  read(body: unknown): DialectRequest;
  /** The answer as one JSON object. */
  toBody(reply: ModelReply, context: ReplyContext): object;
  /** The answer as the events of a stream: its text piece by piece as it comes, everything else at its end. */
  toEvents(pieces: Pieces, context: ReplyContext): AsyncIterable<StreamEvent>;
  /** What a stream ends with that broke off. */
  toBroken(error: { status: number; message: string }): StreamEvent;
  toError(error: { status: number; message: string; field?: string }): object;
};

export type DialectRequest = {
  call: ModelCall;
  stream: boolean;
  /** The model's name, as the client spells it. */
  model: string;
  /** Whether log-probabilities and token ids are asked for. */
  logprobs: boolean;
  tokenIds: boolean;
  /** Whether a stream ends with what was used. */
  streamUsage: boolean;
};

export type ReplyContext = {
  request: DialectRequest;
  /** Unique in the trajectory. */
  id: string;
  createdAt: Date;
  tokenizer: Tokenizer | undefined;
};

/** An event of a stream: its name, where the dialect names them, and its data. */
export type StreamEvent = { event?: string; data: object | string };

/** A request that is not what its API says. */
export class RequestError extends AttuneError {
  readonly field: string;
  constructor(field: string, message: string) {
    super("input", `${field}: ${message}`);
    this.field = field;
  }
}

/** The body, checked; the first thing that is wrong is named by its place. */
export function checked<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RequestError(issue!.path.join(".") || "body", issue!.message);
}

/** A call's arguments, which APIs send as text. */
export function readArguments(text: string, field: string): Record<string, never> {
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new RequestError(field, `expected a JSON object, got ${JSON.stringify(text.slice(0, 60))}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RequestError(field, `expected a JSON object, got ${JSON.stringify(text.slice(0, 60))}`);
  return value as Record<string, never>;
}

/** Names of the calls that have been made, by id: a result must answer one of them. */
export function createCallNames() {
  const names = new Map<string, string>();
  return {
    made: (id: string, name: string) => void names.set(id, name),
    answered(id: string, field: string): string {
      const name = names.get(id);
      if (name === undefined)
        throw new RequestError(
          field,
          `got a result of call ${JSON.stringify(id)}, which was not made before it`,
        );
      return name;
    },
  };
}
