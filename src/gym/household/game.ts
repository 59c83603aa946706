import { ToolError } from "../../spec/tool.ts";
import { subgoals, subgoalsThatHold } from "./goal.ts";
import { createHouse } from "./house.ts";
import { nearestAction, type Repair } from "./nearest-action.ts";
import type { HouseholdInput } from "./tasks.ts";

/** How an episode went, kept on its trajectory. */
export type HouseholdOutcome = {
  /** The goal held after some action. */
  won: boolean;
  /** Actions tried, the ones that did nothing included. */
  steps: number;
  /** Actions that could not be done, and those that were done as another one. */
  invalid: number;
  repaired: number;
  /** Subgoals that held at some time, in their order. */
  reached: string[];
  /** Why no further action is taken, or null where one would be. */
  ended: "won" | "steps" | "repeats" | null;
};

export type Game = { opening: string; act(written: string): string; outcome(): HouseholdOutcome };

/** A house with a task: counts actions, keeps which subgoals were reached, and ends when the goal holds. */
export function openGame(
  { goal, task, layout }: HouseholdInput,
  { steps: limit, repeats, repair }: { steps: number; repeats: number; repair: Repair },
): Game {
  const house = createHouse(layout);
  const reached = new Set<string>();
  const [goalReached] = subgoals[goal.kind].slice(-1);
  const counts = { steps: 0, invalid: 0, repaired: 0 };
  const last = { action: "", times: 0 };
  let ended: HouseholdOutcome["ended"] = null;

  const withActions = (text: string) => `${text}\nadmissible actions: ${house.admissible().join("; ")}`;

  /** Does what was written, or what it is taken for. */
  function attempt(written: string): string {
    const seen = house.act(written);
    if (seen !== undefined) return seen;
    const nearest =
      repair === "none" ? undefined : nearestAction(written, { admissible: house.admissible(), repair });
    if (nearest === undefined) {
      counts.invalid++;
      return "Nothing happens.";
    }
    counts.repaired++;
    return `(taken as: ${nearest}) ${house.act(nearest)}`;
  }

  return {
    opening: withActions(`${house.entered}\nYour task: ${task}.`),
    act(written) {
      if (ended) throw new ToolError(endings[ended]);
      const action = canonical(written);
      const seen = attempt(action);
      counts.steps++;
      last.times = action === last.action ? last.times + 1 : 1;
      last.action = action;
      for (const name of subgoalsThatHold(goal, house)) reached.add(name);
      if (reached.has(goalReached!)) ended = "won";
      else if (last.times >= repeats) ended = "repeats";
      else if (counts.steps >= limit) ended = "steps";
      return ended ? `${seen}\n${endings[ended]}` : withActions(seen);
    },
    outcome: () => ({
      won: ended === "won",
      ...counts,
      reached: subgoals[goal.kind].filter((name) => reached.has(name)),
      ended,
    }),
  };
}

const endings = {
  won: "The task is done; no more actions are taken.",
  steps: "All actions are used; no more are taken.",
  repeats: "The same action was repeated too often; no more actions are taken.",
};

/** One spelling of an action: lower case, single spaces, no full stop, and one way to say where a thing is put. */
function canonical(written: string): string {
  const action = written
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/^ | ?\.? ?$/g, "");
  const put = /^(?:put|move|place) (\S+ \d+) (?:in\/on|in|on|into|onto|to) (\S+ \d+)$/.exec(action);
  return put ? `put ${put[1]} in/on ${put[2]}` : action;
}
