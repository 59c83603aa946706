import type { AssistantMessage, Message } from "./message.ts";
import type { ToolSpec } from "./tool.ts";

export interface Tokenizer {
  /** Size of the id space: every id is below it. */
  vocabularySize: number;
  /** Text to ids; special tokens written in the text become their single id. Nothing is added around it. */
  encode(text: string): Int32Array;
  /** Ids to text, special tokens included. */
  decode(tokens: ArrayLike<number>): string;
  /** The bytes a token stands for (the spelling, for a special token), so that stop strings can be matched mid-character. */
  bytesOf(id: number): Uint8Array;
  /** The id of a token's exact spelling. */
  idOf(token: string): number | undefined;
}

/** Why a turn could not be read. `structure`: broken markup or JSON; `content`: well-formed but not a call. */
export type ParseIssue = { kind: "structure" | "content"; detail: string };

/** Messages ↔ tokens for one tokenizer and chat template. Extending a conversation never rewrites its tokens. */
export interface Renderer {
  tokenizer: Tokenizer;
  /** Tokens that end an assistant turn; the first is the one an expert's turn is closed with. */
  stopTokens: readonly number[];
  /** Everything the policy sees before its first turn, up to and including the opening of that turn. */
  prompt(messages: readonly Message[], tools: readonly ToolSpec[]): Int32Array;
  /** What comes between one assistant turn's stop token and the next turn: new messages and its opening. */
  observation(messages: readonly Message[]): Int32Array;
  /** The tokens a policy would have sampled to say this message, stop token included. */
  turn(message: AssistantMessage): Int32Array;
  /** Sampled tokens to a message. Never throws; a turn that cannot be read says why. */
  parse(tokens: ArrayLike<number>): { message: AssistantMessage; issue?: ParseIssue };
}
