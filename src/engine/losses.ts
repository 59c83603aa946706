import type { Loss } from "../spec/trainer.ts";
import type { Tape, Value } from "./autodiff.ts";
import {
  add,
  clip,
  detach,
  exponential,
  maximum,
  minimum,
  multiply,
  scale,
  subtract,
  sum,
} from "./operators.ts";

/** What a loss is a function of, one entry per scored position, [N] each. */
export type LossInputs = { current: Value; weights: Value; sampled: Value; advantages: Value };

export type GraphLoss = Exclude<Loss, { name: "custom" }>;

/** Largest log-ratio that is exponentiated, on either side: e²⁰ is already meaningless, and finite. */
const logRatioLimit = 20;

/** The loss as a scalar of the graph. Formulas are those of the `Loss` contract. */
export function emitLoss(
  tape: Tape,
  loss: GraphLoss,
  { current, weights, sampled, advantages }: LossInputs,
): Value {
  const ratio = () => {
    const difference = clip(tape, subtract(tape, current, sampled), -logRatioLimit, logRatioLimit);
    return exponential(tape, difference);
  };
  const negativeSum = (gains: Value) => scale(tape, sum(tape, multiply(tape, gains, weights)), -1);

  switch (loss.name) {
    case "cross_entropy":
      return negativeSum(current);
    case "importance_sampling":
      return negativeSum(multiply(tape, ratio(), advantages));
    case "ppo": {
      const r = ratio();
      const clipped = clip(tape, r, loss.clipLow, loss.clipHigh);
      const gain = minimum(tape, multiply(tape, r, advantages), multiply(tape, clipped, advantages));
      if (loss.dualClip === undefined) return negativeSum(gain);
      // where A < 0 the gain is at least c·A; where A ≥ 0 this floor is never above the gain (r·A, clipped·A ≥ 0 ≥ −c·A)
      const floor = scale(tape, tape.apply("Abs", [advantages], advantages.shape), -loss.dualClip);
      return negativeSum(maximum(tape, gain, floor));
    }
    case "cispo": {
      const weight = detach(clip(tape, ratio(), loss.clipLow, loss.clipHigh));
      return negativeSum(multiply(tape, multiply(tape, weight, advantages), current));
    }
    case "dro": {
      const difference = subtract(tape, current, sampled);
      const penalty = scale(tape, multiply(tape, difference, difference), -loss.beta / 2);
      return negativeSum(add(tape, multiply(tape, current, advantages), penalty));
    }
    default:
      return loss satisfies never;
  }
}
