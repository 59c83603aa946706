import { mapPool } from "../kit/pool.ts";
import type { ChatModel } from "../spec/chat-model.ts";
import type { Environment, Session, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { toTranscript } from "../trajectory/view.ts";

/**
 * What an attempt is told of those before it: nothing, what was done last time, what was learnt from the last
 * failures, or both (Shinn et al., 2023, arXiv 2303.11366).
 */
export type ReflexionStrategy = "none" | "last_attempt" | "reflexion" | "last_attempt_and_reflexion";

export type ReflexionOptions = {
  environment: Environment;
  tasks: readonly Task[];
  /** Plays one attempt in the environment it is given, which is the one above with the memory told. */
  play(environment: Environment, task: Task, trial: number): Promise<Trajectory>;
  /** Says in words what went wrong and what to do next time. Not asked when the strategy has no use for it. */
  reflect(failed: Trajectory, context: { reflections: readonly string[] }): Promise<string>;
  strategy?: ReflexionStrategy;
  /** Attempts at a task at most; a solved one is not tried again. */
  trials?: number;
  /** Reflections that are kept, the latest ones. */
  window?: number;
  /** Reflections are kept over tasks, too: all tasks of a trial start from what was learnt in the trials before. */
  acrossTasks?: boolean;
  /** When a task counts as solved; a reward of 1 or more when absent. */
  solved?(trajectory: Trajectory): boolean;
  /** Attempts at a time. */
  concurrency?: number;
  signal?: AbortSignal;
  onTrial?(trial: number, solved: number): void;
};

export type ReflexionResult = {
  task: Task;
  /** All attempts, in order. */
  attempts: Trajectory[];
  /** What was learnt from each failed attempt that another followed; the reflection at i comes from attempt i. */
  reflections: string[];
  /** The attempt that solved it, counted from 0; null where none did. */
  solvedAt: number | null;
};

export const reflexionDefaults = { strategy: "reflexion", trials: 3, window: 3, concurrency: 8 } as const;

/**
 * Trials over the same tasks. The short-term memory is the attempt itself; the long-term memory is what was said
 * after failures, told at the start of the next attempt, in a fresh session. The world's own failures teach nothing:
 * such an attempt is neither solved nor reflected on, and is simply tried again.
 */
export async function reflexion(options: ReflexionOptions): Promise<ReflexionResult[]> {
  const { environment, tasks, play, reflect, acrossTasks = false, signal, onTrial } = options;
  const { strategy, trials, window, concurrency } = { ...reflexionDefaults, ...withoutUndefined(options) };
  if (!(Number.isInteger(trials) && trials > 0))
    throw new AttuneError("usage", `reflexion: expected trials as a whole number above 0, got ${trials}`);
  if (!(Number.isInteger(window) && window > 0))
    throw new AttuneError("usage", `reflexion: expected window as a whole number above 0, got ${window}`);
  const solved = options.solved ?? (({ reward }: Trajectory) => reward !== null && reward >= 1);
  const learns = strategy === "reflexion" || strategy === "last_attempt_and_reflexion";
  const results = tasks.map(
    (task): ReflexionResult => ({ task, attempts: [], reflections: [], solvedAt: null }),
  );
  const shared: string[] = [];

  for (let trial = 0; trial < trials; trial++) {
    const open = results.filter(({ solvedAt }) => solvedAt === null);
    if (open.length === 0) break;

    // act: every open task once, from a memory that no attempt of this trial can change
    const known = [...shared];
    await mapPool(
      open,
      concurrency,
      async (result) => {
        const reflections = (acrossTasks ? known : result.reflections).slice(-window);
        const memory = memoryOf(strategy, { reflections, last: result.attempts.at(-1) });
        const attempt = await play(withMemory(environment, memory), result.task, trial);
        result.attempts.push(attempt);
        if (solved(attempt)) result.solvedAt = trial;
      },
      signal,
    );

    // reflect: on the policy's failures, in the order of the tasks, unless nothing comes after
    const failed = open.filter(
      ({ solvedAt, attempts }) => solvedAt === null && attempts.at(-1)!.reward !== null,
    );
    if (learns && trial + 1 < trials) {
      const learnt = await mapPool(
        failed,
        concurrency,
        ({ attempts, reflections }) =>
          reflect(attempts.at(-1)!, { reflections: (acrossTasks ? known : reflections).slice(-window) }),
        signal,
      );
      for (const [index, reflection] of learnt.entries()) {
        failed[index]!.reflections.push(reflection);
        shared.push(reflection);
      }
    }
    onTrial?.(trial, results.filter(({ solvedAt }) => solvedAt !== null).length);
  }
  return results;
}

/** Has a model reflect: it is shown the attempt and what it earned, and asked for a plan in a few sentences. */
export function reflectWith(
  model: ChatModel,
  { signal }: { signal?: AbortSignal } = {},
): ReflexionOptions["reflect"] {
  return async (failed, { reflections }) => {
    const { message } = await model.complete({
      messages: reflectionPrompt(failed, reflections),
      ...(signal && { signal }),
    });
    return message.content.trim();
  };
}

/** What a reflecting model is asked; an exported reflection is learnt under the same prompt. */
export function reflectionPrompt(failed: Trajectory, reflections: readonly string[]): Message[] {
  const attempt = toTranscript(failed).map(({ speaker, text }) => `${speaker}: ${text}`);
  return [
    {
      role: "system",
      content:
        "You are shown an attempt at a task that failed. Say in a few sentences what went wrong and what to do differently next time. Speak of this task, be concrete, and do not solve it.",
    },
    {
      role: "user",
      content: [
        ...attempt,
        "",
        `The attempt ended as ${failed.status} with reward ${failed.reward}.`,
        ...(reflections.length > 0
          ? ["", "What you noted before:", ...reflections.map((each) => `- ${each}`)]
          : []),
      ].join("\n"),
    },
  ];
}

function memoryOf(
  strategy: ReflexionStrategy,
  { reflections, last }: { reflections: readonly string[]; last: Trajectory | undefined },
): string {
  const parts: string[] = [];
  if (strategy.startsWith("last_attempt") && last) {
    const transcript = toTranscript(last);
    const lines = transcript
      .slice(transcript.findIndex(({ speaker }) => speaker === "assistant"))
      .map(({ speaker, text }) => `${speaker}: ${text}`);
    parts.push(["Your last attempt, which failed:", ...lines].join("\n"));
  }
  if (strategy.endsWith("reflexion") && reflections.length > 0)
    parts.push(
      ["What you noted after attempts that failed:", ...reflections.map((each) => `- ${each}`)].join("\n"),
    );
  return parts.join("\n\n");
}

/** The same world, whose first user message begins with what is remembered. */
export function withMemory(environment: Environment, memory: string): Environment {
  if (memory === "") return environment;
  const told = (session: Session): Session => {
    const first = session.messages.findIndex(({ role }) => role === "user");
    if (first === -1) session.messages.push({ role: "user", content: memory });
    else {
      const { content } = session.messages[first]!;
      session.messages = session.messages.with(first, { role: "user", content: `${memory}\n\n${content}` });
    }
    return session;
  };
  return {
    ...environment,
    start(task, context) {
      const session = environment.start(task, context);
      return "then" in session ? session.then(told) : told(session);
    },
  };
}

function withoutUndefined<Given extends object>(given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Given;
}
