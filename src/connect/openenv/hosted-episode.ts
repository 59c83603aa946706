import type { Environment, Session, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject } from "../../spec/json.ts";
import type { Message } from "../../spec/message.ts";
import { ToolError, type ToolFailureKind, type ToolSpec } from "../../spec/tool.ts";
import type { Status, ToolCallRecord } from "../../spec/trajectory.ts";
import { FrameError, reservedToolNames } from "./frames.ts";

/** How an episode ended and what it earned: components by name and their weighted sum. */
export type Grade = { status: Status; reward: number; rewards: Record<string, number | null> };

/** What one move led to; `grade` once the episode is over. */
export type Moved = { text: string; failure: ToolFailureKind | null; messages: Message[]; grade?: Grade };

/** One episode of an Attune environment whose moves come from outside, one after the other. */
export type HostedEpisode = {
  readonly id: string;
  readonly task: Task;
  readonly tools: readonly ToolSpec[];
  /** What the conversation starts with. */
  readonly opening: readonly Message[];
  readonly moves: number;
  readonly over: boolean;
  call(name: string, given: JsonObject): Promise<Moved>;
  say(content: string): Promise<Moved>;
  /** Any number of times; the session behind it is closed once. */
  close(): Promise<void>;
};

const turnsDefault = 64;
const toolTimeoutMsDefault = 30_000;
/** What a timer can hold; a limit that is lifted is Infinity. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Opens a session and lets an outsider play it: keeps the transcript that rewards look at, ends the episode at the
 * environment's own limit of turns, and grades it. Throws `FrameError` for a tool of a reserved name; whatever else is
 * thrown is the world's failure and ends the episode without a reward.
 */
export async function hostEpisode(
  environment: Environment,
  { id, task, seed, signal }: { id: string; task: Task; seed: number; signal: AbortSignal },
): Promise<HostedEpisode> {
  const session = await environment.start(task, { seed, signal });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= (async () => session.close?.())());
  try {
    signal.throwIfAborted();
    refuseReserved(environment, session);
  } catch (error) {
    await close();
    throw error;
  }

  const { turns = turnsDefault, toolTimeoutMs = toolTimeoutMsDefault } = environment.limits ?? {};
  const opening = [...session.messages];
  const messages: Message[] = [...opening];
  const calls: ToolCallRecord[] = [];
  let moves = 0;
  let answer = "";
  let over = false;

  const grade = async (status: Status): Promise<Grade> => {
    const context = { task, messages, answer, calls, turns: moves, sampledTokens: 0, status };
    const outcome = (await session.outcome?.()) as Json | undefined;
    const rewards: Record<string, number | null> = {};
    let reward = 0;
    for (const [name, component] of Object.entries(environment.rewards)) {
      const value = await component.grade({ ...context, outcome });
      if (value !== null && !Number.isFinite(value))
        throw new AttuneError("environment", `reward "${name}": expected a finite number, got ${value}`);
      rewards[name] = value;
      reward += component.weight * (value ?? 0);
    }
    return { status, reward, rewards };
  };

  /** Takes a move; one that breaks the world ends the episode, and so does reaching the limit of turns. */
  const move = async (work: () => Promise<Moved & { ended?: boolean }>): Promise<Moved> => {
    if (over) throw new FrameError("EXECUTION_ERROR", "the episode is over: expected a reset");
    moves++;
    try {
      const { ended, ...moved } = await work();
      over = ended === true || moves >= turns;
      if (!over) return moved;
      const graded = { ...moved, grade: await grade(ended ? "completed" : "max_turns") };
      await close();
      return graded;
    } catch (error) {
      over = true;
      await close();
      throw error;
    }
  };

  return {
    id,
    task,
    tools: session.tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
    opening,
    get moves() {
      return moves;
    },
    get over() {
      return over;
    },
    call: (name, given) =>
      move(async () => {
        const callId = `call_${moves - 1}`;
        answer = "";
        messages.push({
          role: "assistant",
          content: "",
          toolCalls: [{ id: callId, name, arguments: given }],
        });
        const { text, failure } = await runTool(session, { name, given, toolTimeoutMs, signal });
        const observation = failure ? `error: ${text}` : text;
        messages.push({ role: "tool", callId, name, content: observation, ...(failure && { failure }) });
        calls.push({
          turn: moves - 1,
          id: callId,
          name,
          arguments: given,
          observation,
          failure,
          latencyMs: 0,
        });
        return { text, failure, messages: [], ended: session.ended?.() ?? false };
      }),
    say: (content) =>
      move(async () => {
        answer = content;
        messages.push({ role: "assistant", content });
        const answers = (await session.respond?.({ role: "assistant", content })) ?? [];
        messages.push(...answers);
        return { text: "", failure: null, messages: answers, ended: answers.length === 0 };
      }),
    close: async () => {
      over = true;
      await close();
    },
  };
}

function refuseReserved({ name }: Environment, { tools }: Session): void {
  const taken = tools.find((tool) => reservedToolNames.includes(tool.name));
  if (taken)
    throw new FrameError(
      "FACTORY_ERROR",
      `environment "${name}": got a tool "${taken.name}", expected none of the reserved names ${reservedToolNames.join(", ")}`,
    );
}

async function runTool(
  { tools }: Session,
  {
    name,
    given,
    toolTimeoutMs,
    signal,
  }: { name: string; given: JsonObject; toolTimeoutMs: number; signal: AbortSignal },
): Promise<{ text: string; failure: ToolFailureKind | null }> {
  const tool = tools.find((tool) => tool.name === name);
  if (!tool) {
    const known = tools.map((tool) => tool.name).join(", ") || "none";
    return { text: `no tool "${name}"; tools: ${known}`, failure: "invalid_arguments" };
  }
  const check = await tool.check(given);
  if (!check.ok) return { text: check.issues, failure: "invalid_arguments" };
  const milliseconds = Math.min(tool.timeoutMs ?? toolTimeoutMs, longestTimerMs);
  const inner = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
  const stopped = new Promise<never>((_, reject) => {
    inner.addEventListener("abort", () => reject(inner.reason as Error), { once: true });
  });
  stopped.catch(() => undefined);
  try {
    return {
      text: await Promise.race([tool.execute(check.value, { signal: inner }), stopped]),
      failure: null,
    };
  } catch (error) {
    if (error instanceof ToolError) return { text: error.message, failure: "tool_error" };
    if (!inner.aborted || signal.aborted) throw error;
    throw new AttuneError("environment", `tool "${name}": no answer within ${milliseconds} ms`);
  }
}
