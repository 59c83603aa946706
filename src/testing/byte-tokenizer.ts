import type { AssistantMessage, Message } from "../spec/message.ts";
import type { Renderer, Tokenizer } from "../spec/tokenizer.ts";

/** Ends a turn in `byteRenderer`. */
export const endOfTurn = 256;

/** A tokenizer that needs no file: one token a byte, and one more that ends a turn. */
export const byteTokenizer: Tokenizer = {
  vocabularySize: 257,
  encode: (text) => new Int32Array(Buffer.from(text)),
  decode(tokens) {
    const bytes = Buffer.alloc(tokens.length);
    let length = 0;
    for (let index = 0; index < tokens.length; index++)
      if (tokens[index]! < endOfTurn) bytes[length++] = tokens[index]!;
    return bytes.toString("utf8", 0, length);
  },
  bytesOf: (id) => (id < endOfTurn ? Uint8Array.of(id) : new Uint8Array(0)),
  idOf: (token) => (Buffer.from(token).length === 1 ? Buffer.from(token)[0] : undefined),
};

/**
 * A renderer over bytes: `role:content` and a newline a message, calls as `→name {json}` on a line of their own.
 * `parse` reads what `turn` writes; a call whose arguments are not JSON is broken in structure. Tools are not shown.
 */
export const byteRenderer: Renderer = {
  tokenizer: byteTokenizer,
  stopTokens: [endOfTurn],
  prompt: (messages) => byteTokenizer.encode(`${messages.map(line).join("")}assistant:`),
  observation: (messages) => byteTokenizer.encode(`\n${messages.map(line).join("")}assistant:`),
  turn: (message) => Int32Array.from([...byteTokenizer.encode(written(message)), endOfTurn]),
  parse(tokens) {
    const content: string[] = [];
    const toolCalls: NonNullable<AssistantMessage["toolCalls"]> = [];
    for (const text of byteTokenizer.decode(tokens).split("\n")) {
      const call = /^→(\w+) (.*)$/.exec(text);
      if (!call) content.push(text);
      else {
        try {
          toolCalls.push({
            id: `call_${toolCalls.length}`,
            name: call[1]!,
            arguments: JSON.parse(call[2]!) as Record<string, never>,
          });
        } catch {
          return {
            message: { role: "assistant", content: text },
            issue: { kind: "structure", detail: "a call that is not JSON" },
          };
        }
      }
    }
    const message: AssistantMessage = {
      role: "assistant",
      content: content.join("\n").trim(),
      ...(toolCalls.length > 0 && { toolCalls }),
    };
    return { message };
  },
};

const line = (message: Message) =>
  `${message.role}:${message.role === "assistant" ? written(message) : message.content}\n`;

const written = ({ content, toolCalls = [] }: AssistantMessage) =>
  [content, ...toolCalls.map((call) => `→${call.name} ${JSON.stringify(call.arguments)}`)]
    .filter(Boolean)
    .join("\n");
