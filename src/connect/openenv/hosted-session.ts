import { deriveSeed } from "../../kit/random.ts";
import type { Environment, Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { actionSchema, checked, FrameError, resetSchema, type StepResult } from "./frames.ts";
import { type HostedEpisode, hostEpisode, type Moved } from "./hosted-episode.ts";

/** What one client drives: episodes of the environment, one at a time, until it leaves or falls silent. */
export type HostedSession = {
  readonly id: string;
  readonly over: boolean;
  /** Starts a new episode; the one before is given up. */
  reset(data: unknown): Promise<StepResult>;
  step(data: unknown): Promise<StepResult>;
  state(): Promise<JsonObject>;
  listTools(): Promise<readonly ToolSpec[]>;
  /** A tool call outside of `step`, which starts an episode where there is none. */
  callTool(name: string, given: JsonObject): Promise<Moved>;
  /** Any number of times. */
  close(): Promise<void>;
};

type Options = {
  id: string;
  /** Tools as they are known before an episode. */
  tools: readonly ToolSpec[];
  /** The seed of an episode whose reset names none. */
  nextSeed(): number;
  idleTimeoutMs: number;
  onIdle(): void;
};

export function hostSession(
  environment: Environment,
  { id, tools, nextSeed, idleTimeoutMs, onIdle }: Options,
): HostedSession {
  const controller = new AbortController();
  const { signal } = controller;
  let episode: HostedEpisode | undefined;
  let closing: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let idle: NodeJS.Timeout | undefined;
  let waiting = 0;

  const rest = () => {
    clearTimeout(idle);
    if (waiting > 0 || signal.aborted) return;
    idle = setTimeout(onIdle, idleTimeoutMs).unref();
  };

  /** One request after the other, in the order they came. */
  const queued = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    waiting++;
    rest();
    const run = turn.then(async () => {
      if (signal.aborted) throw new FrameError("SESSION_ERROR", "the session is closed");
      return work();
    });
    turn = run.catch(() => undefined);
    try {
      return await run;
    } finally {
      waiting--;
      rest();
    }
  };

  const start = async (data: unknown): Promise<HostedEpisode> => {
    const { seed, episode_id, split, index } = checked(resetSchema, data, "data");
    await episode?.close();
    episode = undefined;
    const chosen = seed ?? nextSeed();
    const task = taskAt(environment, { seed: chosen, split, index });
    const episodeId = episode_id ?? `${id}-${chosen}`;
    episode = await hostEpisode(environment, {
      id: episodeId,
      task,
      seed: deriveSeed(chosen, "openenv", task.id),
      signal,
    });
    return episode;
  };

  const current = (): HostedEpisode => {
    if (!episode) throw new FrameError("EXECUTION_ERROR", "there is no episode: expected a reset first");
    return episode;
  };

  rest();
  return {
    id,
    get over() {
      return episode?.over ?? true;
    },
    reset: (data) =>
      queued(async () => {
        const { opening } = await start(data);
        return { observation: { messages: opening }, reward: null, done: false };
      }),
    step: (data) =>
      queued(async () => {
        const action = checked(actionSchema, data, "action");
        if (action.type === "list_tools") {
          const listed = (episode?.tools ?? tools).map(({ name, description, parameters }) => ({
            name,
            description,
            input_schema: parameters,
          }));
          return { observation: { tools: listed }, reward: null, done: episode?.over ?? false };
        }
        if (action.type === "message") {
          const moved = await current().say(action.content);
          return toResult({ messages: moved.messages }, moved);
        }
        const { tool_name } = action;
        const moved = await current().call(tool_name, action.arguments as JsonObject);
        const { text, failure } = moved;
        if (failure !== "invalid_arguments")
          return toResult({ tool_name, result: toToolResult(moved), error: null }, moved);
        const known = episode!.tools.some(({ name }) => name === tool_name);
        const error = { error_type: known ? "invalid_args" : "tool_not_found", message: text };
        return toResult({ tool_name, result: null, error }, moved);
      }),
    state: () =>
      queued(async () => ({
        episode_id: episode?.id ?? null,
        step_count: episode?.moves ?? 0,
        task_id: episode?.task.id ?? null,
        kind: episode?.task.kind ?? null,
        done: episode?.over ?? false,
      })),
    listTools: () => queued(async () => episode?.tools ?? tools),
    callTool: (name, given) => queued(async () => (episode ?? (await start({}))).call(name, given)),
    close: () =>
      (closing ??= (async () => {
        clearTimeout(idle);
        controller.abort(new AttuneError("environment", "the session is closed"));
        await episode?.close();
      })()),
  };
}

/** A tool's answer as MCP has it, in the spelling of the protocol's servers too. */
export function toToolResult({ text, failure }: Moved) {
  const isError = failure !== null;
  return {
    content: [{ type: "text", text }],
    structured_content: null,
    data: text,
    is_error: isError,
    isError,
    meta: null,
  };
}

function toResult(observation: Record<string, unknown>, { grade }: Moved): StepResult {
  if (!grade) return { observation, reward: null, done: false };
  const { status, reward, rewards } = grade;
  return { observation: { ...observation, status, rewards }, reward, done: true };
}

export function taskAt(
  environment: Environment,
  { seed, split, index }: { seed: number; split: Split; index: number },
): Task {
  let at = 0;
  for (const task of environment.tasks({ split, seed })) if (at++ === index) return task;
  throw new FrameError("VALIDATION_ERROR", `data: index: got ${index}, the split "${split}" has ${at} tasks`);
}
