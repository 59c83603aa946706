import type { ChatReply } from "../../../spec/chat-model.ts";
import type { Message } from "../../../spec/message.ts";
import type { ToolSpec } from "../../../spec/tool.ts";
import { isCallList } from "../check/shape.ts";
import type { BfclMessage } from "../data.ts";
import { decodeOrThrow, type ReturnFormat } from "../decode/decode.ts";
import { toCallStrings } from "../decode/execute.ts";
import { decodeNative, toNativeCallStrings } from "../decode/native.ts";
import { toNativeTools } from "../native-tools.ts";
import { systemPrompt } from "../prompt/system-prompt.ts";
import { moreFunctions } from "../prompt/wording.ts";
import { PythonError } from "../python/error.ts";
import { repr } from "../python/text.ts";
import { type PythonDict, type PythonValue, toDict, typeName } from "../python/value.ts";
import type { Question } from "./question.ts";

/** Natively by tool calls, or in text that a system prompt asks for. */
export type Mode = "native" | "prompt";

/** A reply whose calls may come with their arguments as they were written, which is how they are stored and judged. */
export type WrittenReply = ChatReply & { argumentTexts?: readonly string[]; reasoning?: string };

/** What a result file holds of one reply: calls as `{name: arguments}` with the arguments' text, or the model's text. */
export type StoredReply = string | { [name: string]: string }[];

/** What is different between the two ways of asking. */
export type ModeRules = {
  opening(turn: readonly BfclMessage[], question: Question): BfclMessage[];
  tools(functions: readonly PythonDict[]): ToolSpec[] | undefined;
  /** Opens the turn in which more functions become callable. */
  newFunctions(functions: readonly PythonDict[]): string;
  stored(reply: WrittenReply): StoredReply;
  /** What tells the model the results of its calls. */
  results(reply: WrittenReply, calls: readonly string[], results: readonly string[]): Message[];
};

export const modeRules: Record<Mode, ModeRules> = {
  native: {
    opening: (turn) => [...turn],
    tools: toNativeTools,
    newFunctions: () => moreFunctions,
    stored({ message, argumentTexts }) {
      if (message.toolCalls === undefined || message.toolCalls.length === 0) return message.content;
      return message.toolCalls.map((call, index) => ({
        [call.name]: argumentTexts?.[index] ?? JSON.stringify(call.arguments),
      }));
    },
    results: ({ message }, _, results) =>
      (message.toolCalls ?? []).flatMap(({ id, name }, index) => {
        const content = results[index];
        return content === undefined ? [] : [{ role: "tool", callId: id, name, content }];
      }),
  },
  prompt: {
    opening: (turn, { variation, functions }) => withSystemFirst(turn, systemPrompt(variation, functions)),
    tools: () => undefined,
    newFunctions: (functions) => `${repr([...functions])}\n${moreFunctions}`,
    stored: ({ message }) => message.content,
    results: (_, calls, results) => [
      {
        role: "user",
        content: repr(
          results.map((content, index) => toDict({ role: "tool", name: calls[index] ?? "", content })),
        ),
      },
    ],
  },
};

/** A system prompt before the one that is there, or as the first message. */
export function withSystemFirst(turn: readonly BfclMessage[], content: string): BfclMessage[] {
  const [first, ...rest] = turn;
  if (first?.role !== "system") return [{ role: "system", content }, ...turn];
  return [{ role: "system", content: `${content}\n\n${first.content}` }, ...rest];
}

/** A stored reply as calls, in the format in which it was asked for. Throws a `PythonError` where it does not decode. */
export function decodeStored(
  stored: PythonValue,
  mode: Mode,
  format: ReturnFormat,
  tagged: boolean,
): PythonValue {
  if (mode === "native") return decodeNative(stored);
  return decodeOrThrow(textOf(stored), format, tagged);
}

/**
 * A stored reply as call strings to execute. In a format other than Python's own the calls are printed as such ones.
 * Throws a `PythonError` where the reply holds no calls, which ends the model's turn.
 */
export function storedCalls(
  stored: PythonValue,
  mode: Mode,
  { variation }: Pick<Question, "variation">,
): string[] {
  if (mode === "native") return toNativeCallStrings(stored);
  const calls = decodeOrThrow(textOf(stored), variation.returnFormat, variation.tagged);
  if (!isCallList(calls)) throw new PythonError("TypeError", "got something else than a list of calls");
  return toCallStrings(calls);
}

function textOf(stored: PythonValue): string {
  if (typeof stored === "string") return stored;
  // A prompted model's reply is a text; anything else in its place is what the original cannot decode either.
  throw new PythonError("AttributeError", `'${typeName(stored)}' object has no attribute 'strip'`);
}
