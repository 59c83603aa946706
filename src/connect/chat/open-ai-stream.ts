import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";

/** What has come of a reply that broke off, in the shape of a whole answer of chat completions. */
export class BrokenStream extends AttuneError {
  readonly answer: JsonObject;
  constructor(message: string, answer: JsonObject, cause?: unknown) {
    super("environment", message, { cause });
    this.answer = answer;
  }
}

/** Bytes of one event. */
const longestEvent = 16 * 2 ** 20;

/**
 * Puts the chunks of a streamed chat completion together into the answer that it would have been unstreamed; every
 * piece of its text is told as it comes. Throws `BrokenStream` with what there is when the stream ends without having
 * said why the model stopped.
 */
export async function readChatStream(
  body: AsyncIterable<Uint8Array>,
  onText: (piece: string) => void,
): Promise<JsonObject> {
  const whole = createWhole();
  try {
    for await (const data of eventsOf(body)) {
      if (data === "[DONE]") break;
      const chunk = JSON.parse(data) as Chunk;
      if (chunk.error !== undefined)
        throw new Error(`the stream holds an error: ${JSON.stringify(chunk.error).slice(0, 200)}`);
      const text = whole.add(chunk);
      if (text) onText(text);
    }
  } catch (error) {
    throw new BrokenStream(`the reply broke off: ${(error as Error).message}`, whole.answer(), error);
  }
  if (!whole.isFinished()) throw new BrokenStream("the reply broke off: no finish_reason", whole.answer());
  return whole.answer();
}

type Chunk = {
  error?: unknown;
  choices?: {
    delta?: Delta;
    finish_reason?: string | null;
    logprobs?: unknown;
    token_ids?: unknown;
    prompt_token_ids?: number[] | null;
  }[];
  usage?: JsonObject | null;
  prompt_token_ids?: number[] | null;
};

type Delta = {
  content?: string | null;
  reasoning?: string | null;
  reasoning_content?: string | null;
  tool_calls?: { index?: number; id?: string; function?: { name?: string; arguments?: string } }[];
};

function createWhole() {
  let [text, thought] = ["", ""];
  let finish: string | undefined;
  let usage: JsonObject | undefined;
  let prompt: number[] | undefined;
  const calls: { id: string; name: string; arguments: string }[] = [];
  const tokens: number[] = [];
  const logprobs: JsonObject[] = [];

  const addCalls = (delta: Delta) => {
    for (const [position, each] of (delta.tool_calls ?? []).entries()) {
      const index = each.index ?? position;
      calls[index] ??= { id: "", name: "", arguments: "" };
      const call = calls[index];
      call.id ||= each.id ?? "";
      call.name += each.function?.name ?? "";
      call.arguments += each.function?.arguments ?? "";
    }
  };

  return {
    /** The text that this chunk adds. */
    add({ choices, usage: used, prompt_token_ids: promptIds }: Chunk): string {
      usage = used ?? usage;
      const choice = choices?.[0];
      prompt = promptIds ?? choice?.prompt_token_ids ?? prompt;
      if (choice === undefined) return "";
      const { delta = {}, finish_reason: reason, logprobs: told, token_ids: ids } = choice;
      finish = reason ?? finish;
      thought += delta.reasoning ?? delta.reasoning_content ?? "";
      addCalls(delta);
      const content = (told as { content?: unknown } | null | undefined)?.content;
      if (Array.isArray(content)) for (const each of content) logprobs.push(each as JsonObject);
      if (Array.isArray(ids)) for (const id of ids) tokens.push(id as number);
      text += delta.content ?? "";
      return delta.content ?? "";
    },
    isFinished: () => finish !== undefined,
    answer: (): JsonObject => ({
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text,
            ...(thought !== "" && { reasoning_content: thought }),
            ...(calls.length > 0 && {
              tool_calls: calls.filter(Boolean).map(({ id, ...called }) => ({
                id,
                type: "function",
                function: called,
              })),
            }),
          },
          finish_reason: finish ?? null,
          ...(logprobs.length > 0 && { logprobs: { content: logprobs } }),
          ...(tokens.length > 0 && { token_ids: tokens }),
        },
      ],
      ...(usage && { usage }),
      ...(prompt && { prompt_token_ids: prompt }),
    }),
  };
}

/** The data of server-sent events; comments and names are passed over. */
async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let open = "";
  for await (const part of body) {
    open += decoder.decode(part, { stream: true });
    if (open.length > longestEvent) throw new Error(`an event is longer than ${longestEvent} bytes`);
    const blocks = open.split(/\r?\n\r?\n/);
    open = blocks.pop()!;
    for (const block of blocks) {
      const data = block
        .split(/\r?\n/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).replace(/^ /, ""));
      if (data.length > 0) yield data.join("\n");
    }
  }
}
