import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { givenAnswer } from "../../reward/answer.ts";
import { format, toolUse } from "../../reward/components.ts";
import { createPyodide } from "../../sandbox/pyodide.ts";
import { createQuickJs } from "../../sandbox/quickjs.ts";
import type { Environment, GradeContext, RewardComponent, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Sandbox, SandboxDriver } from "../../spec/sandbox.ts";
import { type CodeBudget, type CodeRuns, codeTool } from "./code-tool.ts";
import { type MathInput, problems } from "./problems.ts";
import { sameValue } from "./value.ts";

export type MathLanguage = "javascript" | "python";

export type MathOptions = {
  /** Families of problems: power, recurrence, divisors, paths, dice, system, calendar, polygon. */
  kinds?: readonly string[];
  /** The tools. Python takes a thread of some 100 MB for every session that runs it: see docs/sandboxes.md. */
  languages?: readonly MathLanguage[];
  /** Runs an episode may make, over all tools. A call beyond it is not run, and says so. */
  calls?: number;
  /** Characters of a run's output that are shown. */
  outputCharacters?: number;
  /** Where code runs instead of the drivers that all sessions share. */
  sandboxes?: Partial<Record<MathLanguage, SandboxDriver>>;
};

/** Problems with exact answers that ask for computing, and code to compute with. Variables live as long as a session. */
export function math({
  kinds: only = Object.keys(problems),
  languages = ["javascript"],
  calls = 4,
  outputCharacters = 512,
  sandboxes = {},
}: MathOptions = {}): Environment {
  const asked = pickKinds(problems, { only, environment: "math" });
  checkOptions({ languages, calls, outputCharacters });
  const driverFor = (language: MathLanguage) => sandboxes[language] ?? sharedDriver(language);
  return defineEnvironment<MathInput>({
    name: "math",
    description: "Problems with exact answers, and an interpreter to compute them with.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "math", kinds: asked, salt: "math-1", split, seed }),
    start({ input }) {
      const budget: CodeBudget = { calls, used: { runs: 0, errors: 0, timeouts: 0, refused: 0 } };
      const open = new Map<MathLanguage, Sandbox>();
      const opened = (language: MathLanguage) => {
        const sandbox = open.get(language) ?? driverFor(language).open();
        open.set(language, sandbox);
        return sandbox;
      };
      return {
        messages: [
          {
            role: "system",
            content: `Solve the problem. You may run code, at most ${calls} times. End with the result alone: <answer>42</answer>`,
          },
          { role: "user", content: input.question },
        ],
        tools: languages.map((language) =>
          codeTool({ language, open: () => opened(language), budget, outputCharacters }),
        ),
        outcome: () => ({ ...budget.used }),
        async close() {
          await Promise.all([...open.values()].map((sandbox) => sandbox.close()));
        },
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isRight(context) ? 1 : 0) },
      format: format(),
      toolUse: toolUse({ isCorrect: isRight }),
      runs: metric(({ runs }) => runs),
      errors: metric(({ runs, errors }) => (runs === 0 ? null : errors / runs)),
      timeouts: metric(({ runs, timeouts }) => (runs === 0 ? null : timeouts / runs)),
      refused: metric(({ refused }) => refused),
    },
    experts: {
      careful: (task) => play(task, { language: languages[0]!, calls, style: "careful" }),
      hasty: (task) => play(task, { language: languages[0]!, calls, style: "hasty" }),
    },
  });
}

function isRight({ task, status, answer }: GradeContext): boolean {
  return status === "completed" && sameValue(givenAnswer(answer), task.answer as string);
}

const metric = (of: (runs: CodeRuns) => number | null): RewardComponent => ({
  weight: 0,
  grade: ({ outcome }) => (outcome === undefined ? null : of(outcome as CodeRuns)),
});

/** Careful runs every step, in one run where there is only one; hasty takes what the last but one prints for the answer. */
function play(
  task: Task,
  { language, calls, style }: { language: MathLanguage; calls: number; style: Style },
) {
  const plan = (task.input as MathInput).steps[language];
  const steps = plan.length > calls ? [plan.join("\n")].slice(0, calls) : plan;
  const runs = style === "hasty" && steps.length > 1 ? steps.length - 1 : steps.length;
  return scripted((observations): Move => {
    const done = observations.length;
    if (done === runs) return { answer: observations.at(-1)?.split("\n").at(-1) ?? (task.answer as string) };
    const thought = done === 0 ? "compute" : "go on";
    return { thought, call: { name: language, arguments: { code: steps[done]! } } };
  });
}

type Style = "careful" | "hasty";

const drivers = new Map<MathLanguage, SandboxDriver>();

/** All sessions of a process share the threads. */
function sharedDriver(language: MathLanguage): SandboxDriver {
  const driver = drivers.get(language) ?? (language === "python" ? createPyodide() : createQuickJs());
  drivers.set(language, driver);
  return driver;
}

function checkOptions({
  languages,
  calls,
  outputCharacters,
}: Required<Pick<MathOptions, "languages" | "calls" | "outputCharacters">>) {
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `environment "math": ${message}`);
  };
  if (languages.length === 0 || new Set(languages).size < languages.length)
    refuse(`expected languages once each, at least one, got ${JSON.stringify(languages)}`);
  for (const language of languages)
    if (language !== "javascript" && language !== "python")
      refuse(`no language "${String(language)}"; there are javascript, python`);
  if (!(Number.isSafeInteger(calls) && calls >= 0)) refuse(`expected calls of 0 or more, got ${calls}`);
  if (!(Number.isSafeInteger(outputCharacters) && outputCharacters >= 2))
    refuse(`expected outputCharacters of 2 or more, got ${outputCharacters}`);
}
