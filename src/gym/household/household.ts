import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import type { Environment, GradeContext, RewardComponent, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { type HouseholdOutcome, openGame } from "./game.ts";
import { subgoals } from "./goal.ts";
import { type Repair, repairs } from "./nearest-action.ts";
import { plan } from "./planner.ts";
import { type HouseholdInput, householdKinds } from "./tasks.ts";

export type HouseholdOptions = {
  /** Families of tasks: place, light, clean, heat, cool, two. */
  kinds?: readonly string[];
  /** Actions that an episode may take. */
  steps?: number;
  /** The same action so many times in a row ends the episode; Infinity lets it go on. */
  repeats?: number;
  /** What becomes of an action that is not admissible: nothing, or the admissible one that is nearest to it. */
  repair?: Repair;
};

const parameters = z.object({ action: z.string().max(200).describe("one of the admissible actions") });

/**
 * A text world after ALFWorld (arXiv 2010.03768), with the tool of AgentBench's function-calling edition: one room
 * of receptacles, some closed, in which things have to be found, changed and brought to a place. Graded on whether
 * the goal ever held.
 */
export function household({
  kinds: only,
  steps = 20,
  repeats = 3,
  repair = "none",
}: HouseholdOptions = {}): Environment {
  checkOptions({ steps, repeats, repair });
  // one less than there are: the planner has a step to spare
  const kinds = householdKinds(steps - 1);
  const asked = pickKinds(kinds, { only: only ?? Object.keys(kinds), environment: "household" });
  return defineEnvironment<HouseholdInput>({
    name: "household",
    description: "Find things in a room, clean, heat or cool them, and bring them where they belong.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "household", kinds: asked, salt: "household-1", split, seed }),
    start({ input }) {
      const game = openGame(input, { steps, repeats, repair });
      return {
        messages: [
          { role: "system", content: instructions(steps) },
          { role: "user", content: game.opening },
        ],
        tools: [
          tool({
            name: "take_action",
            description: "Does one action in the room and tells what is seen and what can be done next.",
            input: parameters,
            execute: ({ action }) => game.act(action),
          }),
        ],
        ended: () => game.outcome().ended !== null,
        outcome: game.outcome,
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (outcomeOf(context)?.won ? 1 : 0) },
      progress: metric(({ reached }, { goal }) => reached.length / subgoals[goal.kind].length),
      steps: metric(({ steps }) => steps),
      invalidActions: metric(({ steps, invalid }) => (steps === 0 ? null : invalid / steps)),
      repairedActions: metric(({ steps, repaired }) =>
        steps === 0 || repair === "none" ? null : repaired / steps,
      ),
    },
    experts: { careful: (task) => play(task, "careful"), hasty: (task) => play(task, "hasty") },
    limits: { turns: steps + 1, toolCalls: 2 * steps, tokens: 32_768 },
  });
}

const instructions = (steps: number) =>
  `You act in a room to do a task. Call take_action with one of the admissible actions, which every observation lists. You see what is in or on a receptacle when you are at it and it is open, and you can carry one thing. You have ${steps} actions; the task ends when it is done.`;

const outcomeOf = ({ outcome }: GradeContext) => outcome as HouseholdOutcome | undefined;

function metric(grade: (outcome: HouseholdOutcome, input: HouseholdInput) => number | null): RewardComponent {
  return {
    weight: 0,
    grade: (context) => {
      const outcome = outcomeOf(context);
      return outcome === undefined ? null : grade(outcome, context.task.input as HouseholdInput);
    },
  };
}

/** Careful follows the planner to the end; hasty leaves its last action out and says that it is done. */
function play(task: Task, style: "careful" | "hasty") {
  const { goal, layout } = task.input as HouseholdInput;
  return scripted((observations): Move => {
    const steps = plan({ goal, room: layout.room, places: Object.keys(layout.receptacles) });
    let step = steps.next("");
    for (const seen of observations) step = steps.next(seen);
    if (step.done) return { answer: "done" };
    const { thought, action } = step.value;
    if (style === "hasty" && isLast(action, { goal, seen: observations })) return { answer: "done" };
    return { thought, call: { name: "take_action", arguments: { action } } };
  });
}

function isLast(
  action: string,
  { goal, seen }: { goal: HouseholdInput["goal"]; seen: readonly string[] },
): boolean {
  const puts = seen.filter((text) => text.startsWith("You put ")).length;
  if (action.startsWith("put ")) return goal.kind !== "two" || puts === 1;
  return action.startsWith("use ");
}

function checkOptions({ steps, repeats, repair }: Required<Omit<HouseholdOptions, "kinds">>): void {
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `household: ${message}`);
  };
  if (!Number.isInteger(steps) || steps < 12) refuse(`expected \`steps\` of 12 or more, got ${steps}`);
  if (!(repeats >= 2)) refuse(`expected \`repeats\` of 2 or more, got ${repeats}`);
  if (!repairs.includes(repair)) refuse(`expected \`repair\` of ${repairs.join(", ")}, got ${repair}`);
}
