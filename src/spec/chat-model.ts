import type { AssistantMessage, Message } from "./message.ts";
import type { StopReason } from "./policy.ts";
import type { ToolSpec } from "./tool.ts";

export type ChatRequest = {
  messages: readonly Message[];
  tools?: readonly ToolSpec[];
  /** Most tokens of the reply; the model's own limit when absent. */
  maxTokens?: number;
  /** 0 is greedy; the model's own default when absent. */
  temperature?: number;
  seed?: number;
  signal?: AbortSignal;
};

export type ChatReply = {
  message: AssistantMessage;
  stopReason: StopReason;
  /** Null where the model does not say. */
  usage: { inputTokens: number; outputTokens: number } | null;
};

/** A model at the level of messages, whose tokens are not seen: a teacher, a judge, a simulated user, one to evaluate. */
export interface ChatModel {
  name: string;
  complete(request: ChatRequest): Promise<ChatReply>;
  close?(): Promise<void>;
}
