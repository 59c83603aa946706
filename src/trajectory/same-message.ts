import type { Json } from "../spec/json.ts";
import type { Message } from "../spec/message.ts";
import type { ToolSpec } from "../spec/tool.ts";

/** Whether two values say the same as JSON: the order of keys and the spelling of numbers do not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  return sameFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** An absent key and one that is undefined are the same, for JSON holds neither. */
function sameFields(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let fields = 0;
  for (const key of Object.keys(a)) {
    if (a[key] === undefined) continue;
    fields++;
    if (!sameJson(a[key], b[key])) return false;
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) fields--;
  return fields === 0;
}

/** A message with what it held beyond `Message` (images, reasoning, a provider's opaque state). */
export type Said = { message: Message; extra: Json | undefined };

/**
 * Whether a client that sends `a` means `b`. Clients spell arguments anew, lose reasoning, do not know a tool
 * message's name and failure, and may give calls ids of their own; what a user or a tool showed besides text counts.
 */
export function sameMessage(a: Said, b: Said): boolean {
  if (a.message.role !== b.message.role || a.message.content !== b.message.content) return false;
  if (a.message.role !== "assistant") return sameExtra(a, b);
  const [left, right] = [a.message.toolCalls ?? [], callsOf(b.message)];
  return (
    left.length === right.length &&
    left.every(
      (call, index) => call.name === right[index]!.name && sameJson(call.arguments, right[index]!.arguments),
    )
  );
}

/** Images and the like are tokens that all look the same, so they are compared even where token ids agree. */
export function sameExtra(a: Said, b: Said): boolean {
  return a.message.role === "assistant" || sameJson(a.extra, b.extra);
}

/** Ids of the calls that a message makes or answers. */
export function callIds(message: Message): string[] {
  return message.role === "tool" ? [message.callId] : callsOf(message).map(({ id }) => id);
}

export function callsOf(message: Message) {
  return message.role === "assistant" ? (message.toolCalls ?? []) : [];
}

export function sameTool(a: ToolSpec, b: ToolSpec): boolean {
  return a.name === b.name && a.description === b.description && sameJson(a.parameters, b.parameters);
}

export function sameTools(a: readonly ToolSpec[], b: readonly ToolSpec[]): boolean {
  return a.length === b.length && a.every((tool, index) => sameTool(tool, b[index]!));
}
