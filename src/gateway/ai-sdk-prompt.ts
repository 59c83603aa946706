import type { Json, JsonObject } from "../spec/json.ts";
import type { Message, ToolCall } from "../spec/message.ts";
import type { ToolSpec } from "../spec/tool.ts";
import type { ModelCall } from "./conversation.ts";

/** A part of an AI SDK message. Versions 2 and 3 of its model specification agree on what is read here. */
export type PromptPart =
  | { type: "text" | "reasoning"; text: string }
  | { type: "file"; mediaType: string; data: unknown; filename?: string }
  | { type: "tool-call"; toolCallId: string; toolName: string; input: unknown }
  | { type: "tool-result"; toolCallId: string; toolName: string; output: ToolOutput }
  | { type: "tool-approval-response"; approvalId: string; approved: boolean };

export type ToolOutput =
  | { type: "text" | "error-text"; value: string }
  | { type: "json" | "error-json" | "content"; value: unknown }
  | { type: "execution-denied"; reason?: string };

export type PromptMessage =
  | { role: "system"; content: string }
  | { role: "user" | "assistant" | "tool"; content: readonly PromptPart[] };

/** What a call of an AI SDK agent says, of what a policy can hear. */
export type CallOptions = {
  prompt: readonly PromptMessage[];
  maxOutputTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  stopSequences?: readonly string[] | undefined;
  tools?: readonly unknown[] | undefined;
  toolChoice?: { type: string; toolName?: string } | undefined;
  responseFormat?: { type: string } | undefined;
  abortSignal?: AbortSignal | undefined;
};

/** What was asked for and cannot be had, in words. */
export type CallWarning = { feature: string; details: string };

/** A call as the conversation takes it. Files and reasoning have no tokens here; they are kept as extras. */
export function toModelCall(options: CallOptions): { call: ModelCall; warnings: CallWarning[] } {
  const { prompt, maxOutputTokens, stopSequences, abortSignal, toolChoice, responseFormat } = options;
  const { temperature, topP, topK } = options;
  const said = prompt.flatMap(toMessages);
  const warnings: CallWarning[] = [];
  const { tools, left } = toTools(options.tools ?? [], toolChoice);
  for (const name of left)
    warnings.push({ feature: `tool ${name}`, details: "only function tools are offered" });
  if (toolChoice?.type === "required" || toolChoice?.type === "tool")
    warnings.push({
      feature: `toolChoice ${toolChoice.type}`,
      details: "the policy may still answer in text",
    });
  if (responseFormat?.type === "json")
    warnings.push({ feature: "responseFormat json", details: "the policy is not held to it" });
  if (said.some(({ extra }) => extra !== undefined && JSON.stringify(extra).includes('"mediaType"')))
    warnings.push({ feature: "files", details: "a policy of text does not see them; they are recorded" });
  return {
    call: {
      messages: said.map(({ message }) => message),
      ...(said.some(({ extra }) => extra !== undefined) && { extras: said.map(({ extra }) => extra) }),
      tools,
      ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      ...(topK !== undefined && { topK }),
      ...(stopSequences?.length && { stop: stopSequences }),
      ...(abortSignal && { signal: abortSignal }),
    },
    warnings,
  };
}

type Said = { message: Message; extra: Json | undefined };

function toMessages(given: PromptMessage): Said[] {
  if (given.role === "system")
    return [{ message: { role: "system", content: given.content }, extra: undefined }];
  const { role, content } = given;
  if (role === "tool")
    return content.flatMap((part) =>
      part.type === "tool-result"
        ? [
            {
              message: {
                role: "tool" as const,
                callId: part.toolCallId,
                name: part.toolName,
                content: toText(part.output),
              },
              extra: undefined,
            },
          ]
        : [],
    );
  const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const beside = content.filter(({ type }) => type === "file" || type === "reasoning");
  const extra = beside.length > 0 ? toJson(beside) : undefined;
  if (role === "user") return [{ message: { role, content: text }, extra }];
  const toolCalls = content.flatMap((part) => (part.type === "tool-call" ? [toCall(part)] : []));
  return [{ message: { role, content: text, ...(toolCalls.length > 0 && { toolCalls }) }, extra }];
}

function toCall({ toolCallId, toolName, input }: PromptPart & { type: "tool-call" }): ToolCall {
  return { id: toolCallId, name: toolName, arguments: (toJson(input) ?? {}) as JsonObject };
}

/** A tool's result as the policy is shown it. */
function toText(output: ToolOutput): string {
  if (output.type === "execution-denied") return `error: denied${output.reason ? `: ${output.reason}` : ""}`;
  const text = typeof output.value === "string" ? output.value : JSON.stringify(output.value);
  return output.type.startsWith("error") ? `error: ${text}` : text;
}

function toTools(given: readonly unknown[], choice: CallOptions["toolChoice"]) {
  const tools: ToolSpec[] = [];
  const left: string[] = [];
  for (const each of given as readonly Record<string, unknown>[]) {
    const name = String(each["name"]);
    if (each["type"] !== "function") left.push(name);
    else if (choice?.type !== "none" && (choice?.type !== "tool" || choice.toolName === name))
      tools.push({
        name,
        description: typeof each["description"] === "string" ? each["description"] : "",
        parameters: each["inputSchema"] as ToolSpec["parameters"],
      });
  }
  return { tools, left };
}

/** As JSON would hold it: bytes become base64, addresses their text. */
function toJson(value: unknown): Json {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Uint8Array ? Buffer.from(inner).toString("base64") : inner,
  );
  return (text === undefined ? null : JSON.parse(text)) as Json;
}
