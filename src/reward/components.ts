import type { GradeContext, RewardComponent } from "../spec/environment.ts";
import { extractAnswer, sameAnswer } from "./answer.ts";

type Weighted = { weight?: number };

/** 1 where the last message's `<answer>` is the task's answer, else 0. An answer outside the tags does not count. */
export function correct({ weight = 1 }: Weighted = {}): RewardComponent {
  return { weight, grade: (context) => (isCorrect(context) ? 1 : 0) };
}

/** 1 where the episode came to its own end with an `<answer>`, else 0. */
export function format({ weight = 0 }: Weighted = {}): RewardComponent {
  return {
    weight,
    grade: ({ status, answer }) => (status === "completed" && extractAnswer(answer) !== undefined ? 1 : 0),
  };
}

/**
 * How sparingly a correct episode used its tools, cos(m·π/(2m + c)) for m calls (OTC-PPO, arXiv 2504.14870); 0 for
 * a wrong one. With a positive weight a correct answer is still above a wrong one at any number of calls, because
 * the factor is above 0 and multiplies correctness.
 */
export function toolUse({
  weight = 0,
  smoothing = 3,
  isCorrect: judge = isCorrect,
}: Weighted & { smoothing?: number; isCorrect?: (context: GradeContext) => boolean } = {}): RewardComponent {
  return {
    weight,
    grade: (context) => {
      if (!judge(context)) return 0;
      const calls = context.calls.length;
      return Math.cos((calls * Math.PI) / (2 * calls + smoothing));
    },
  };
}

/** Share of tool calls that failed by the policy's doing; null where no tool was called. A metric by default. */
export function toolFailures({ weight = 0 }: Weighted = {}): RewardComponent {
  return {
    weight,
    grade: ({ calls }) =>
      calls.length === 0 ? null : calls.filter(({ failure }) => failure !== null).length / calls.length,
  };
}

/**
 * Lowers a reward for calls and tokens without ever turning a correct answer into less than a wrong one: the
 * penalty of a correct episode stays below `most` < 1 however long it was, and a wrong one has none to gain from.
 */
export function economy({
  perCall = 0,
  perToken = 0,
  most = 0.5,
  isCorrect: judge = isCorrect,
}: {
  perCall?: number;
  perToken?: number;
  most?: number;
  isCorrect?: (context: GradeContext) => boolean;
}): RewardComponent {
  if (!(most > 0 && most < 1)) throw new RangeError(`economy: expected most between 0 and 1, got ${most}`);
  return {
    weight: 1,
    grade: (context) => {
      if (!judge(context)) return 0;
      const cost = perCall * context.calls.length + perToken * context.sampledTokens;
      return cost === 0 ? 0 : -most * (1 - Math.exp(-cost / most));
    },
  };
}

export function isCorrect({ task, status, answer }: GradeContext): boolean {
  const given = extractAnswer(answer);
  return (
    status === "completed" &&
    given !== undefined &&
    task.answer !== undefined &&
    sameAnswer(given, task.answer)
  );
}
