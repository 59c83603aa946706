import { deriveSeed } from "../../kit/random.ts";
import type { Environment, Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { Message } from "../../spec/message.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { type Grade, type HostedEpisode, hostEpisode, type Moved } from "../openenv/hosted-episode.ts";

/** Which task a session plays: one of the stream that split and seed give. */
export type TaskChoice = { split: Split; seed: number; index: number };

/** How a served session ended; `grade` where it came to an end of its own. */
export type ServedResult = { session: string; task: Task; grade: Grade | undefined };

/** What one MCP session plays: one episode, opened when it is first looked at, its moves one after the other. */
export type ServedSession = {
  readonly id: string;
  /** What the episode earned, once it is over. */
  readonly grade: Grade | undefined;
  tools(): Promise<readonly ToolSpec[]>;
  opening(): Promise<readonly Message[]>;
  call(name: string, given: JsonObject): Promise<Moved>;
  say(content: string): Promise<Moved>;
  /** Any number of times; the episode is closed once. */
  close(): Promise<void>;
};

export type ServedSessionOptions = {
  id: string;
  choice: TaskChoice;
  /** The tool by which the agent speaks; no tool of the environment may have its name. */
  answerTool: string;
  onResult?: ((result: ServedResult) => void) | undefined;
};

export function serveSession(
  environment: Environment,
  { id, choice, answerTool, onResult }: ServedSessionOptions,
): ServedSession {
  const controller = new AbortController();
  const { signal } = controller;
  let task: Task | undefined;
  let opened: Promise<HostedEpisode> | undefined;
  let grade: Grade | undefined;
  let closing: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const open = async (): Promise<HostedEpisode> => {
    task = taskAt(environment, choice);
    const seed = deriveSeed(choice.seed, "mcp", task.id);
    const episode = await hostEpisode(environment, { id, task, seed, signal });
    if (!episode.tools.some(({ name }) => name === answerTool)) return episode;
    await episode.close();
    throw new AttuneError(
      "usage",
      `environment "${environment.name}": has a tool "${answerTool}" itself: give another \`answerTool\``,
    );
  };
  const episode = () => {
    signal.throwIfAborted();
    opened ??= open();
    return opened;
  };

  const move = (work: (episode: HostedEpisode) => Promise<Moved>): Promise<Moved> => {
    const run = turn.then(async () => {
      const current = await episode();
      if (current.over)
        return {
          text: "the episode is over",
          failure: "tool_error",
          messages: [],
          ...(grade && { grade }),
        } as Moved;
      const moved = await work(current);
      if (moved.grade) {
        grade = moved.grade;
        onResult?.({ session: id, task: task!, grade });
      }
      return moved;
    });
    turn = run.catch(() => undefined);
    return run;
  };

  return {
    id,
    get grade() {
      return grade;
    },
    tools: async () => (await episode()).tools,
    opening: async () => (await episode()).opening,
    call: (name, given) => move((current) => current.call(name, given)),
    say: (content) => move((current) => current.say(content)),
    close() {
      closing ??= (async () => {
        controller.abort(new AttuneError("environment", "the session is closed"));
        // one that never opened has nothing to close
        const current = await opened?.catch(() => undefined);
        await current?.close();
        if (task && !grade) onResult?.({ session: id, task, grade: undefined });
      })();
      return closing;
    },
  };
}

function taskAt(environment: Environment, { split, seed, index }: TaskChoice): Task {
  let at = 0;
  for (const task of environment.tasks({ split, seed })) if (at++ === index) return task;
  throw new AttuneError(
    "usage",
    `environment "${environment.name}": index: got ${index}, its split "${split}" has ${at} tasks`,
  );
}
