import type { ChatModel, ChatRequest } from "../../../spec/chat-model.ts";
import { AttuneError } from "../../../spec/error.ts";
import type { Message } from "../../../spec/message.ts";
import type { BfclMessage } from "../data.ts";
import { coreAndArchive, memoryPersonas, wholeMemory } from "../prompt/wording.ts";
import { PythonError } from "../python/error.ts";
import {
  type Mode,
  modeRules,
  type StoredReply,
  storedCalls,
  type WrittenReply,
  withSystemFirst,
} from "./mode.ts";
import type { Question } from "./question.ts";
import type { World } from "./world.ts";

/** Rounds of calls that a turn may take; with the one after them the conversation is broken off. */
const mostSteps = 20;

/** A row of a result file, without its id: one value each where a question takes one reply, else per turn and step. */
export type Answer = {
  result: StoredReply | StoredReply[][];
  input_token_count?: number | number[][];
  output_token_count?: number | number[][];
  /** Seconds. */
  latency?: number | number[][];
  reasoning_content?: string | string[][];
  inference_log?: unknown[];
};

export type AskOptions = {
  model: ChatModel;
  mode: Mode;
  request: Omit<ChatRequest, "messages" | "tools" | "signal">;
  signal?: AbortSignal;
};

/** Asks a question that takes one reply. */
export async function askOnce(question: Question, options: AskOptions): Promise<Answer> {
  const rules = modeRules[options.mode];
  const messages = rules.opening(question.turns[0] ?? [], question).map(toMessage(question));
  const { reply, seconds } = await complete(messages, rules.tools(question.functions), options);
  return {
    result: rules.stored(reply),
    input_token_count: reply.usage?.inputTokens ?? 0,
    output_token_count: reply.usage?.outputTokens ?? 0,
    latency: seconds,
    ...(reply.reasoning !== undefined && { reasoning_content: reply.reasoning }),
  };
}

/**
 * Has a conversation of several turns: in each the model calls, gets the results and calls on, until a reply holds no
 * call. A model that goes on for more than twenty rounds is stopped, and the turns after that are not asked.
 */
export async function converse(question: Question, world: World, options: AskOptions): Promise<Answer> {
  const rules = modeRules[options.mode];
  const messages: Message[] = [];
  const functions = [...question.functions];
  const turns: Reply[][] = [];
  const log: unknown[] = [];
  for (const [index, given] of question.turns.entries()) {
    const more = question.heldBack.get(index);
    let opening = given;
    if (more !== undefined) {
      functions.push(...more);
      opening = [{ role: "user", content: rules.newFunctions(more) }];
    } else if (index === 0) opening = rules.opening(withMemory(given, question, world), question);
    messages.push(...opening.map(toMessage(question)));
    const steps: Record<string, unknown> = {};
    const { replies, isForced } = await takeTurn({ question, world, options, messages, functions, steps });
    turns.push(replies);
    log.push({ begin_of_turn_query: opening, ...steps });
    if (isForced) break;
  }
  const each = <Value>(pick: (reply: Reply) => Value) => turns.map((turn) => turn.map(pick));
  const thoughts = each(({ reply }) => reply.reasoning ?? "");
  return {
    result: each(({ reply }) => rules.stored(reply)),
    input_token_count: each(({ reply }) => reply.usage?.inputTokens ?? 0),
    output_token_count: each(({ reply }) => reply.usage?.outputTokens ?? 0),
    latency: each(({ seconds }) => seconds),
    ...(thoughts.flat().some((thought) => thought !== "") && { reasoning_content: thoughts }),
    inference_log: log,
  };
}

type Reply = { reply: WrittenReply; seconds: number };

type Turn = {
  question: Question;
  world: World;
  options: AskOptions;
  messages: Message[];
  functions: Question["functions"];
  steps: Record<string, unknown>;
};

async function takeTurn(turn: Turn): Promise<{ replies: Reply[]; isForced: boolean }> {
  const { question, world, options, messages, functions, steps } = turn;
  const rules = modeRules[options.mode];
  const tools = rules.tools(functions);
  const replies: Reply[] = [];
  for (let step = 0; ; step++) {
    const taken = await complete(messages, tools, options);
    replies.push(taken);
    messages.push(taken.reply.message);
    const stored = rules.stored(taken.reply);
    const entry: unknown[] = [{ role: "assistant", content: stored }];
    steps[`step_${step}`] = entry;
    const calls = readCalls(stored, question, options.mode);
    if (calls === undefined) return { replies, isForced: false };
    const results = await world.run(calls, options.signal);
    entry.push(...results.map((content) => ({ role: "tool", content })));
    messages.push(...rules.results(taken.reply, calls, results));
    if (step >= mostSteps) return { replies, isForced: true };
  }
}

/** The calls of a reply, or undefined where there are none and the turn is over. */
function readCalls(stored: StoredReply, question: Question, mode: Mode): string[] | undefined {
  try {
    const value = typeof stored === "string" ? stored : stored.map((call) => new Map(Object.entries(call)));
    const calls = storedCalls(value, mode, question);
    return isEmpty(calls) ? undefined : calls;
  } catch (error) {
    if (error instanceof PythonError) return undefined;
    throw error;
  }
}

/** No calls, or one that is no text. */
export function isEmpty(calls: readonly string[]): boolean {
  return calls.length === 0 || (calls.length === 1 && calls[0] === "");
}

/** Puts what the model is shown of its memory before the conversation, where the question has one. */
export function withMemory(
  turn: BfclMessage[],
  { scenario, category }: Question,
  world: World,
): BfclMessage[] {
  const content = world.memoryText?.();
  if (content === undefined || scenario === undefined) return turn;
  const template = category.includes("rec_sum") ? wholeMemory : coreAndArchive;
  return withSystemFirst(turn, template(memoryPersonas[scenario] ?? "", content));
}

async function complete(
  messages: readonly Message[],
  tools: ChatRequest["tools"],
  { model, request, signal }: AskOptions,
): Promise<Reply> {
  const start = performance.now();
  // A copy: the conversation goes on while a model may still hold what it was given.
  const reply = await model.complete({
    ...request,
    messages: [...messages],
    ...(tools !== undefined && tools.length > 0 && { tools }),
    ...(signal && { signal }),
  });
  return { reply, seconds: (performance.now() - start) / 1000 };
}

const roles = ["system", "user", "assistant"] as const;

function toMessage(question: Question): (message: BfclMessage) => Message {
  return ({ role, content }) => {
    const known = roles.find((each) => each === role);
    if (known !== undefined) return { role: known, content };
    throw new AttuneError(
      "input",
      `${question.id}: got a message of role "${role}", expected ${roles.join(", ")}`,
    );
  };
}
