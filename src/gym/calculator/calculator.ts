import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, type TaskKind, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import { createRandom, type Random } from "../../kit/random.ts";
import { correct, format, toolUse } from "../../reward/components.ts";
import type { Environment, Task } from "../../spec/environment.ts";
import { evaluate } from "./expression.ts";

/** `steps` are the operations of a right solution; `#` stands for the result of the one before. */
export type CalculatorInput = { question: string; steps: string[] };

const parameters = z.object({ expression: z.string().describe("one operation, for example 12*7") });

/**
 * Arithmetic beyond what a small model can do in its head, with a calculator that does one operation a call. Easy
 * sums can be answered without it, so that calling the tool only where it helps can be learnt. `kinds` chooses among
 * easy, one, two and story.
 */
export function calculator({
  kinds: only = Object.keys(kinds),
}: {
  kinds?: readonly string[];
} = {}): Environment {
  const asked = pickKinds(kinds, { only, environment: "calculator" });
  return defineEnvironment<CalculatorInput>({
    name: "calculator",
    description: "Arithmetic and word problems with a calculator that does one operation a call.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "calculator", kinds: asked, salt: "calculator-2", split, seed }),
    start: ({ input }) => ({
      messages: [
        { role: "system", content: "calculator" },
        { role: "user", content: input.question },
      ],
      tools: [
        tool({
          name: "calc",
          description: "Computes one operation (+, - or *) on two whole numbers.",
          input: parameters,
          execute: ({ expression }) => String(evaluate(expression)),
        }),
      ],
    }),
    rewards: { correct: correct(), format: format(), toolUse: toolUse() },
    experts: {
      careful: (task, { seed }) => play(task, "careful", seed),
      hasty: (task, { seed }) => play(task, "hasty", seed),
    },
  });
}

/** Careful follows every step (half of the easy sums without the tool); hasty stops one call early. */
function play(task: Task, style: "careful" | "hasty", seed: number) {
  const { steps } = task.input as CalculatorInput;
  const inHead = task.kind === "easy" && createRandom(seed).next() < 0.5;
  const calls = inHead ? 0 : style === "hasty" && steps.length > 1 ? steps.length - 1 : steps.length;
  return scripted((observations): Move => {
    const done = observations.length;
    if (inHead) return { answer: task.answer as string };
    if (done === calls) return { answer: observations.at(-1)! };
    const expression = steps[done]!.replace("#", observations.at(-1) ?? "");
    return { thought: "compute", call: { name: "calc", arguments: { expression } } };
  });
}

const between = (random: Random, low: number, high: number) => low + random.integer(high - low + 1);

function toDraw(question: string, steps: string[]) {
  const answer = steps.reduce((result, step) => String(evaluate(step.replace("#", result))), "");
  return { input: { question, steps }, answer, key: question };
}

const kinds: Record<string, TaskKind<CalculatorInput>> = {
  easy(random) {
    const sum = `${between(random, 1, 9)}+${between(random, 1, 9)}`;
    return toDraw(`${sum}?`, [sum]);
  },
  one(random) {
    const operation = random.pick(["+", "-", "*"]);
    const step = `${between(random, 11, 99)}${operation}${between(random, 11, 99)}`;
    return toDraw(`${step}?`, [step]);
  },
  two(random) {
    const [a, b, c] = [between(random, 11, 99), between(random, 11, 99), between(random, 11, 99)];
    if (random.next() < 0.5) {
      const sign = random.pick(["+", "-"]);
      return toDraw(`${a}*${b}${sign}${c}?`, [`${a}*${b}`, `#${sign}${c}`]);
    }
    return toDraw(`(${a}+${b})*${c}?`, [`${a}+${b}`, `#*${c}`]);
  },
  story(random) {
    const [a, b, c] = [between(random, 11, 99), between(random, 11, 99), between(random, 11, 99)];
    const story = random.pick([
      { text: `${a} boxes of ${b} pens, ${c} more pens. pens in all?`, steps: [`${a}*${b}`, `#+${c}`] },
      { text: `${a} boxes of ${b} pens, ${c} pens lost. pens left?`, steps: [`${a}*${b}`, `#-${c}`] },
      { text: `${a} red and ${b} blue bags, ${c} coins in each. coins?`, steps: [`${a}+${b}`, `#*${c}`] },
    ]);
    return toDraw(story.text, story.steps);
  },
};
