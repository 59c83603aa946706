import { AttuneError } from "../../../spec/error.ts";
import { failed, passed, type Verdict } from "../check/verdict.ts";
import type { BfclItem } from "../data.ts";
import { isEqual, type PythonValue, typeName } from "../python/value.ts";
import { type Execution, startExecution } from "./execute.ts";
import type { CommonValues } from "./simulator.ts";

/** Steps of a turn, and the calls of each step. */
export type Turns = readonly (readonly (readonly string[])[])[];

/**
 * Judges what a model called, turn by turn, against the calls of the answer: both are run, each on objects of its
 * own; after every turn with an answer the objects must be equal, and the answer's results of the turn must be among
 * all results of the model so far. Steps without calls do not count.
 */
export function checkTurns(item: BfclItem, turns: Turns): Verdict & { results: string[][] } {
  const answers = toAnswers(item);
  const common: CommonValues = new Map();
  const start = (owner: string) =>
    startExecution({ ...item, owner, common, longContext: item.category.includes("long_context") });
  const model = start("model_eval");
  const answer = start("model_ground_truth_eval");
  let verdict: Verdict | undefined =
    turns.length === answers.length ? undefined : failed("multi_turn:force_terminated");
  const results: string[][] = [];
  for (const [index, turn] of turns.entries()) {
    const steps = turn.filter((step) => step.length > 1 || (step[0] ?? "") !== "");
    const texts = steps.flatMap((step) => model.run(step));
    results.push(texts);
    if (verdict !== undefined) continue;
    const calls = answers[index] as readonly string[];
    const expected = answer.run(calls);
    if (calls.length === 0) continue;
    if (steps.length === 0) verdict = failed("multi_turn:empty_turn_model_response");
    else if (!isSameState(model, answer)) verdict = failed("multi_turn:instance_state_mismatch");
    else if (!areAmong(expected, results)) verdict = failed("multi_turn:execution_response_mismatch");
  }
  return { ...(verdict ?? passed), results };
}

function toAnswers({ id, groundTruth = [] }: BfclItem): string[][] {
  return groundTruth.map((turn) => {
    if (Array.isArray(turn) && turn.every((call) => typeof call === "string")) return turn;
    throw new AttuneError(
      "input",
      `${id}: ground_truth: got a ${typeName(turn)}, expected lists of call texts`,
    );
  });
}

/** Whether every public attribute of the answer's objects is equal in the model's. */
function isSameState(model: Execution, answer: Execution): boolean {
  for (const [name, object] of answer.objects) {
    const state = model.objects.get(name)?.state();
    for (const [attribute, expected] of object.state()) {
      const value = state?.get(attribute);
      if (value === undefined || !isSame(value, expected)) return false;
    }
  }
  return true;
}

/** Whether each of the texts is found among all results, as often as it stands here. */
function areAmong(expected: readonly string[], results: readonly (readonly string[])[]): boolean {
  const rest = results.flat();
  return expected.every((text) => {
    const at = rest.indexOf(text);
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

/** Whether two values are equal. Those that hold themselves never come to an end, in Python neither. */
function isSame(value: PythonValue, expected: PythonValue): boolean {
  try {
    return isEqual(value, expected);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
