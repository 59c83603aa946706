import type { ChatModel } from "../spec/chat-model.ts";
import type { JsonObject } from "../spec/json.ts";
import type { AssistantMessage, Message, UserMessage } from "../spec/message.ts";
import type { ParseIssue, Renderer } from "../spec/tokenizer.ts";
import type { ToolSpec } from "../spec/tool.ts";

/**
 * Tool use as plain text, for models that know no tool calls: a thought, one action and its input, then what was
 * observed, until a final answer (Yao et al., 2022, arXiv 2210.03629, section 2). Between the text and Attune's
 * messages nothing is lost but a second action in one turn: there is none, since its observation comes first.
 */
export function reactRenderer(base: Renderer): Renderer {
  return {
    ...base,
    prompt: (messages, tools) => base.prompt(toReactMessages(messages, tools), []),
    observation: (messages) => base.observation(messages.map(toReactMessage)),
    turn: (message) => base.turn({ role: "assistant", content: toReactText(message) }),
    parse(tokens) {
      const { message, issue } = base.parse(tokens);
      return issue ? { message, issue } : parseReact(message.content);
    },
  };
}

/** The same over a model that is spoken to in messages. What cannot be read comes back as plain text. */
export function reactModel(base: ChatModel): ChatModel {
  return {
    ...base,
    async complete({ messages, tools = [], ...request }) {
      const reply = await base.complete({ ...request, messages: toReactMessages(messages, tools) });
      return { ...reply, message: parseReact(reply.message.content).message };
    },
  };
}

/** What is said of a turn that has neither an action nor an answer. */
export const missingAction = 'expected "Action:" with "Action Input:" and a JSON object, or "Final Answer:"';

/** Reads a turn. It ends where the model begins to invent an observation. */
export function parseReact(text: string): { message: AssistantMessage; issue?: ParseIssue } {
  const own = text.split(/^Observation:/m, 1)[0]!.trim();
  const unread = (kind: ParseIssue["kind"], detail: string) => ({
    message: { role: "assistant" as const, content: own },
    issue: { kind, detail },
  });
  const action = /^Action:[ \t]*(\S+)[ \t]*\n+Action Input:/m.exec(own);
  const answer = /^Final Answer:/m.exec(own);
  if (answer && !(action && action.index < answer.index))
    return { message: { role: "assistant", content: own.slice(answer.index + answer[0].length).trim() } };
  if (!action) return unread("content", missingAction);

  const input = firstObject(own.slice(action.index + action[0].length));
  if (!input) return unread("structure", `Action Input of ${action[1]}: expected a JSON object`);
  const thought = own
    .slice(0, action.index)
    .replace(/^Thought:/, "")
    .trim();
  const call = { id: "call_0", name: action[1]!, arguments: input };
  return { message: { role: "assistant", content: thought, toolCalls: [call] } };
}

/** A turn as the model should have written it. Of several calls each is an action of its own line. */
export function toReactText({ content, toolCalls = [] }: AssistantMessage): string {
  if (toolCalls.length === 0) return `Final Answer: ${content}`;
  const actions = toolCalls.map(
    ({ name, arguments: input }) => `Action: ${name}\nAction Input: ${JSON.stringify(input)}`,
  );
  return [...(content ? [`Thought: ${content}`] : []), ...actions].join("\n");
}

/** A conversation in which tools are described in the first message and spoken of in text. */
export function toReactMessages(messages: readonly Message[], tools: readonly ToolSpec[]): Message[] {
  const [first, ...rest] = messages.map(toReactMessage);
  const rules = instructions(tools);
  if (first?.role !== "system")
    return [{ role: "system", content: rules }, ...(first ? [first, ...rest] : [])];
  return [{ role: "system", content: `${first.content}\n\n${rules}` }, ...rest];
}

function toReactMessage(message: Message): Message {
  if (message.role === "assistant") return { role: "assistant", content: toReactText(message) };
  if (message.role !== "tool") return message;
  const observed: UserMessage = { role: "user", content: `Observation: ${message.content}` };
  return observed;
}

function instructions(tools: readonly ToolSpec[]): string {
  const listed = tools.map(
    ({ name, description, parameters }) => `- ${name}: ${description} Input: ${JSON.stringify(parameters)}`,
  );
  return [
    "Answer in turns. To act, write:",
    "Thought: what you think",
    "Action: the name of one tool",
    "Action Input: its input, a JSON object",
    "You are then told the observation. When you know the answer, write:",
    "Final Answer: the answer",
    ...(listed.length > 0 ? ["", "Tools:", ...listed] : []),
  ].join("\n");
}

/** The object that a text begins with; what follows it is not looked at. */
function firstObject(text: string): JsonObject | undefined {
  const start = text.search(/\S/);
  if (text[start] !== "{") return undefined;
  let depth = 0;
  let quoted = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (quoted) {
      if (character === "\\") index++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{") {
      if (++depth > deepest) return undefined;
    } else if (character === "}" && --depth === 0) return parsed(text.slice(start, index + 1));
  }
  return undefined;
}

/** Nesting beyond which a value is an attack or a loop. */
const deepest = 64;

function parsed(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}
