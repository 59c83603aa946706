import type { JsonObject } from "../spec/json.ts";
import type { AssistantMessage, ToolCall } from "../spec/message.ts";
import type { ParseIssue } from "../spec/tokenizer.ts";

const open = "<tool_call>";
const close = "</tool_call>";

/** Deepest nesting of a call's JSON that is read; beyond it a value is not a call but an attack or a loop. */
const depthLimit = 64;

/**
 * Reads an assistant turn in the common form `text<tool_call>{"name": …, "arguments": {…}}</tool_call>`, any number
 * of calls. Text outside of calls is the content. Never throws: what cannot be read is said in `issue`, and the
 * calls before it are kept.
 */
export function parseToolCalls(text: string): { message: AssistantMessage; issue?: ParseIssue } {
  const toolCalls: ToolCall[] = [];
  let content = "";
  let rest = text;
  let issue: ParseIssue | undefined;
  while (!issue) {
    const start = rest.indexOf(open);
    if (start === -1) break;
    content += rest.slice(0, start);
    const end = rest.indexOf(close, start);
    if (end === -1) {
      issue = { kind: "structure", detail: `${open} without ${close}` };
      rest = "";
      break;
    }
    const call = parseCall(rest.slice(start + open.length, end), `call_${toolCalls.length}`);
    if ("kind" in call) issue = call;
    else toolCalls.push(call);
    rest = rest.slice(end + close.length);
  }
  if (!issue && rest.includes(close)) issue = { kind: "structure", detail: `${close} without ${open}` };
  content = (content + rest).trim();
  const message: AssistantMessage =
    toolCalls.length > 0 ? { role: "assistant", content, toolCalls } : { role: "assistant", content };
  return issue ? { message, issue } : { message };
}

function parseCall(text: string, id: string): ToolCall | ParseIssue {
  const structure = (detail: string): ParseIssue => ({ kind: "structure", detail });
  if (nesting(text) > depthLimit) return structure(`a call nested more than ${depthLimit} deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return structure("a call that is not JSON");
  }
  if (!isObject(value)) return structure("a call that is not a JSON object");
  const { name, arguments: given = {} } = value;
  if (typeof name !== "string" || name === "") return { kind: "content", detail: "a call without a name" };
  if (!isObject(given)) return { kind: "content", detail: `call of ${name}: arguments are not an object` };
  return { id, name, arguments: given };
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Depth of brackets, those inside of strings included: an upper bound that costs no recursion. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}
