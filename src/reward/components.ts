import type { GradeContext, RewardComponent } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import { extractAnswer, givenAnswer, sameAnswer } from "./answer.ts";

type Weighted = { weight?: number };

/**
 * 1 where the episode came to its own end with the task's answer, else 0. The answer is what stands in the last
 * message's `<answer>` tags, or the whole message where it has none (see `sameAnswer` for what is equal).
 */
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
 * Lowers what a correct episode earns, for its calls and tokens. However long the episode was it loses less than
 * `most` of `weight`, the weight that correctness has beside it, and a wrong one has nothing to lose: so a correct
 * answer stays above every wrong one, as long as what a wrong answer can earn from other components (format, say) is
 * less than (1 − `most`)·`weight`.
 */
export function economy({
  weight = 1,
  perCall = 0,
  perToken = 0,
  most = 0.5,
  isCorrect: judge = isCorrect,
}: Weighted & {
  perCall?: number;
  perToken?: number;
  most?: number;
  isCorrect?: (context: GradeContext) => boolean;
}): RewardComponent {
  if (!(most > 0 && most < 1))
    throw new AttuneError("usage", `economy: expected \`most\` between 0 and 1, got ${most}`);
  if (!(perCall >= 0 && perToken >= 0))
    throw new AttuneError(
      "usage",
      `economy: expected costs of 0 or more, got perCall ${perCall}, perToken ${perToken}`,
    );
  return {
    weight,
    grade: (context) => {
      if (!judge(context)) return 0;
      const cost = perCall * context.calls.length + perToken * context.sampledTokens;
      return cost === 0 ? 0 : -most * (1 - Math.exp(-cost / most));
    },
  };
}

export function isCorrect({ task, status, answer }: GradeContext): boolean {
  return status === "completed" && task.answer !== undefined && sameAnswer(givenAnswer(answer), task.answer);
}
