import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import { toolUse } from "../../reward/components.ts";
import { createMemoryShell } from "../../sandbox/memory-shell.ts";
import type { Environment, GradeContext, RewardComponent, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { type Sandbox, type SandboxDriver, SandboxError } from "../../spec/sandbox.ts";
import { ToolError } from "../../spec/tool.ts";
import { type OsTask, toGivenTasks } from "./given-tasks.ts";
import { type Goal, runChecks, sameText } from "./goal.ts";
import { kinds } from "./kinds.ts";

/** `plan` is a right solution: scripts, of which the last one prints the answer where one is asked for. */
export type OsInput = { question: string; files: Record<string, string>; setup?: string; plan?: string[] };

/** What is known when it is over; `checks` is null where the task is graded by its answer. */
export type OsOutcome = {
  committed: string | null;
  finished: boolean;
  scripts: number;
  failedScripts: number;
  checks: { passed: boolean; said: string } | null;
};

export type OsOptions = {
  /** Families of generated tasks. */
  kinds?: readonly string[];
  /** Tasks of your own instead of the generated ones. */
  tasks?: readonly OsTask[];
  /** Where scripts run; a bash in memory when absent. `createNamespace()` runs real processes. */
  sandbox?: SandboxDriver;
  /** Assistant turns. */
  rounds?: number;
  /** Characters of what a script prints that are shown. */
  outputCharacters?: number;
};

const script = z.object({ script: z.string().describe("bash, run in the home directory") });
const committing = z.object({ answer: z.string() });
const finish = z.object({ thought: z.string().optional() });

/**
 * Work at a shell, after the OS task of AgentBench (arXiv 2308.03688) with the tools of its function-calling edition:
 * find something out and commit the answer, or change files and say that it is finished. Graded by the answer, or by
 * scripts that look at the files that are left.
 */
export function os({
  kinds: only,
  tasks: given,
  sandbox,
  rounds = 8,
  outputCharacters = 800,
}: OsOptions = {}): Environment {
  if (given && only) throw new AttuneError("usage", "os: got tasks and kinds, expected one of them");
  for (const [name, value] of Object.entries({ rounds, outputCharacters }))
    if (!(Number.isInteger(value) && value >= 2))
      throw new AttuneError("usage", `os: expected \`${name}\` of 2 or more, got ${value}`);
  const asked = pickKinds(kinds, { only: only ?? Object.keys(kinds), environment: "os" });
  const own = given && toGivenTasks(given);
  const driver = () => sandbox ?? memoryShell();
  return defineEnvironment<OsInput>({
    name: "os",
    description: "Find things out and change files at a shell.",
    tasks: ({ split, seed }) =>
      own
        ? own.filter((task) => task.split === split)
        : taskStream({ environment: "os", kinds: asked, salt: "os-1", split, seed }),
    async start({ input, answer: goal }, { signal }) {
      const shell = driver().open({ files: input.files });
      try {
        if (input.setup !== undefined) await prepare(shell, input.setup, signal);
      } catch (error) {
        await shell.close();
        throw error;
      }
      const count = { scripts: 0, failedScripts: 0 };
      let committed: string | null = null;
      let finished = false;
      const isOver = () => finished || committed !== null;
      return {
        messages: [
          { role: "system", content: instructions },
          { role: "user", content: input.question },
        ],
        tools: [
          tool({
            name: "bash_action",
            description: "Runs a bash script in the home directory and returns what it prints.",
            input: script,
            async execute({ script: code }, context) {
              count.scripts++;
              try {
                return await run(shell, code, { outputCharacters, signal: context.signal });
              } catch (error) {
                if (error instanceof ToolError) count.failedScripts++;
                throw error;
              }
            },
          }),
          tool({
            name: "answer_action",
            description: "Gives the answer to the question, which is final.",
            input: committing,
            execute({ answer: text }) {
              if (isOver()) throw new ToolError("the task is over");
              committed = text;
              return "answered";
            },
          }),
          tool({
            name: "finish_action",
            description: "Says that what was asked for is done, which is final.",
            input: finish,
            execute() {
              if (isOver()) throw new ToolError("the task is over");
              finished = true;
              return "finished";
            },
          }),
        ],
        ended: isOver,
        async outcome(): Promise<OsOutcome> {
          const { check } = goal as Goal;
          const checks =
            check && isOver()
              ? await checkFiles(driver(), { worked: shell, scripts: check, answer: committed ?? "" })
              : null;
          return { committed, finished, ...count, checks };
        },
        close: () => shell.close(),
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isRight(context) ? 1 : 0) },
      toolUse: toolUse({ isCorrect: isRight }),
      scripts: metric(({ scripts }) => scripts),
      failedScripts: metric(({ scripts, failedScripts }) => (scripts === 0 ? null : failedScripts / scripts)),
      committed: metric(({ committed, finished }) => (committed !== null || finished ? 1 : 0)),
    },
    experts: own ? {} : { careful: (task) => play(task, "careful"), hasty: (task) => play(task, "hasty") },
    limits: { turns: rounds, toolCalls: 4 * rounds },
  });
}

const instructions =
  "You are at a shell. Run scripts with bash_action to find out or to change what is asked for; files are kept between scripts. Give the answer to a question with answer_action, the bare value and nothing else. Where something is to be done, do it and call finish_action.";

async function run(
  shell: Sandbox,
  code: string,
  { outputCharacters, signal }: { outputCharacters: number; signal: AbortSignal },
): Promise<string> {
  const shown = (text: string) =>
    text.length <= outputCharacters
      ? text
      : `${text.slice(0, outputCharacters)}… (${text.length - outputCharacters} more characters)`;
  try {
    const { output, error } = await shell.exec(code, { signal });
    if (error !== null) throw new ToolError(shown([output, error].filter(Boolean).join("\n")));
    return shown(output) || "(no output)";
  } catch (error) {
    signal.throwIfAborted();
    // what the script used up is its author's doing; a sandbox that died is not
    if (error instanceof SandboxError && error.kind !== "crashed") throw new ToolError(shown(error.message));
    throw error;
  }
}

async function prepare(shell: Sandbox, setup: string, signal: AbortSignal): Promise<void> {
  const { error } = await shell.exec(setup, { signal });
  if (error !== null)
    throw new AttuneError("environment", `os: the setup script failed: ${error.split("\n", 1)[0]}`);
}

/** In a new sandbox with the files alone, so that nothing left behind can speak for the one who is checked. */
async function checkFiles(
  driver: SandboxDriver,
  { worked, scripts, answer }: { worked: Sandbox; scripts: readonly string[]; answer: string },
) {
  const { files } = await worked.snapshot();
  const checker = driver.open({ files });
  try {
    return await runChecks(checker, { scripts, answer });
  } finally {
    await checker.close();
  }
}

function isRight({ task, outcome }: GradeContext): boolean {
  const { committed, checks } = (outcome ?? {}) as Partial<OsOutcome>;
  const goal = task.answer as Goal;
  if (goal.check) return checks?.passed === true;
  return typeof committed === "string" && sameText(committed, goal);
}

const metric = (of: (outcome: OsOutcome) => number | null): RewardComponent => ({
  weight: 0,
  grade: ({ outcome }) => (outcome === undefined ? null : of(outcome as OsOutcome)),
});

/** Careful runs the whole plan; hasty leaves its last script out, and answers with a word of what it saw. */
function play(task: Task, style: "careful" | "hasty") {
  const { plan = [] } = task.input as OsInput;
  const scripts = style === "hasty" ? plan.slice(0, -1) : plan;
  const asks = (task.answer as Goal).check === undefined;
  return scripted((observations): Move => {
    const code = scripts[observations.length];
    if (code !== undefined)
      return {
        thought: observations.length === 0 ? "look" : "do it",
        call: { name: "bash_action", arguments: { script: code } },
      };
    if (!asks) return { thought: "that is done", call: { name: "finish_action", arguments: {} } };
    const seen = observations.at(-1) ?? "";
    const text = style === "hasty" ? (seen.split(/\s/, 1)[0] ?? "") : seen;
    return { thought: "that is it", call: { name: "answer_action", arguments: { answer: text } } };
  });
}

let shared: SandboxDriver | undefined;

/** Sessions of a process share the driver; each has a sandbox of its own. */
function memoryShell(): SandboxDriver {
  // a script is bounded by its commands and loops; the clock is for what those do not see, and many run at once
  shared ??= createMemoryShell({ limits: { timeMs: 8000 } });
  return shared;
}
