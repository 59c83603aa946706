import type { Environment, GradeContext, Player, Task } from "../spec/environment.ts";
import type { Json } from "../spec/json.ts";
import type { AssistantMessage, Message, ToolCall, ToolMessage } from "../spec/message.ts";
import { type Tool, ToolError } from "../spec/tool.ts";
import type { ToolCallRecord } from "../spec/trajectory.ts";

export type PlayedMessages = {
  messages: Message[];
  calls: ToolCallRecord[];
  outcome: Json | undefined;
  /** Components by name. */
  rewards: Record<string, number | null>;
};

/**
 * An episode in messages alone, as small as it can be: no tokens, no limits but on turns, no retries. What breaks in
 * the world is thrown. For tests of environments; training and evaluation play with the rollout room's loop.
 */
export async function playMessages(
  environment: Environment,
  { task, player, seed = 0, turns = 20 }: { task: Task; player: Player; seed?: number; turns?: number },
): Promise<PlayedMessages> {
  const { signal } = new AbortController();
  const session = await environment.start(task, { seed, signal });
  const messages: Message[] = [...session.messages];
  const calls: ToolCallRecord[] = [];
  let last: AssistantMessage = { role: "assistant", content: "" };
  let turn = 0;
  let ended = false;
  try {
    while (!ended && turn < turns) {
      last = await player({ messages: [...messages], tools: session.tools });
      messages.push(last);
      if (last.toolCalls?.length) {
        for (const call of last.toolCalls) {
          const { content, failure } = await runCall(call, { tools: session.tools, signal });
          const { id, name } = call;
          const observed: ToolMessage = {
            role: "tool",
            callId: id,
            name,
            content,
            ...(failure && { failure }),
          };
          messages.push(observed);
          calls.push({ ...call, turn, observation: content, failure, latencyMs: 0 });
        }
        ended = session.ended?.() ?? false;
      } else {
        const answers = await session.respond?.(last);
        messages.push(...(answers ?? []));
        ended = !answers?.length;
      }
      turn++;
    }
    const outcome = await session.outcome?.();
    const context: GradeContext = {
      task,
      messages,
      answer: last.content,
      calls,
      turns: turn,
      sampledTokens: 0,
      status: ended ? "completed" : "max_turns",
      outcome,
    };
    const rewards: Record<string, number | null> = {};
    for (const [name, { grade }] of Object.entries(environment.rewards)) rewards[name] = await grade(context);
    return { messages, calls, outcome, rewards };
  } finally {
    await session.close?.();
  }
}

async function runCall(
  { name, arguments: given }: ToolCall,
  { tools, signal }: { tools: readonly Tool[]; signal: AbortSignal },
): Promise<{ content: string; failure: ToolCallRecord["failure"] }> {
  const tool = tools.find((tool) => tool.name === name);
  if (!tool) return { content: `error: no tool "${name}"`, failure: "invalid_arguments" };
  const checked = await tool.check(given);
  if (!checked.ok) return { content: `error: ${checked.issues}`, failure: "invalid_arguments" };
  try {
    return { content: await tool.execute(checked.value, { signal }), failure: null };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return { content: `error: ${error.message}`, failure: "tool_error" };
  }
}
