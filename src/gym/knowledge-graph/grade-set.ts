import { givenAnswer } from "../../reward/answer.ts";
import type { GradeContext, RewardComponent } from "../../spec/environment.ts";
import type { Variable } from "./variables.ts";

/** The variables a session made, in order. */
export type GraphOutcome = { variables: Variable[] };

/**
 * Number of the variable that a final message names: all that is in its `<answer>` tags (or in the message, without
 * tags), or the end of it after AgentBench's words `Final Answer:`. Undefined where it names none or several.
 */
export function namedVariable(text: string): number | undefined {
  const named = /(?:^|final answer:\s*)#(\d+)\.?$/i.exec(givenAnswer(text));
  return named ? Number(named[1]) : undefined;
}

/** The set a final message stands for; undefined where the episode did not end with a variable that exists. */
export function answeredSet({ status, answer, outcome }: GradeContext): ReadonlySet<string> | undefined {
  const number = status === "completed" ? namedVariable(answer) : undefined;
  if (number === undefined || outcome === undefined) return undefined;
  const variable = (outcome as unknown as GraphOutcome).variables[number];
  return variable && new Set(variable.members);
}

/** Whether the answered set is the expected one: none missing, none too many. */
export function isExactSet(context: GradeContext): boolean {
  const given = answeredSet(context);
  const expected = new Set(context.task.answer as string[]);
  return (
    given !== undefined && given.size === expected.size && [...expected].every((name) => given.has(name))
  );
}

/** Harmonic mean of precision and recall of the answered set, as AgentBench scores it; 0 without one. */
export function setF1({ weight = 0 }: { weight?: number } = {}): RewardComponent {
  return {
    weight,
    grade(context) {
      const given = answeredSet(context);
      if (!given) return 0;
      const expected = new Set(context.task.answer as string[]);
      const hits = [...expected].filter((name) => given.has(name)).length;
      return hits === 0 ? 0 : (2 * hits) / (given.size + expected.size);
    },
  };
}
