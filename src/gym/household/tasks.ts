import type { TaskKind } from "../../environment/task-stream.ts";
import type { Random } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import { kindOf, type ObjectKind, rooms } from "./catalogue.ts";
import { type Goal, type GoalKind, goalKinds, sayGoal, subgoals, subgoalsThatHold } from "./goal.ts";
import { createHouse, type Layout } from "./house.ts";
import { plan } from "./planner.ts";

export type HouseholdInput = { goal: Goal; task: string; layout: Layout };

/** Layouts drawn for one goal before it is said that none can be solved in time. */
const layoutsTried = 500;

/** The kinds of task; each is drawn until the planner solves it in at most `actions`. */
export function householdKinds(actions: number): Record<GoalKind, TaskKind<HouseholdInput>> {
  const draw =
    (kind: GoalKind): TaskKind<HouseholdInput> =>
    (random) => {
      const { room, object, receptacle } = random.pick(combinations[kind]);
      const goal: Goal = { kind, object, receptacle: kind === "light" ? null : receptacle };
      const task = sayGoal(goal, (ways) => random.pick(ways));
      for (let tried = 0; tried < layoutsTried; tried++) {
        const layout = drawLayout(random, { room, goal, receptacle });
        if (actionsNeeded({ goal, layout }) <= actions)
          return {
            input: { goal, task, layout },
            answer: subgoals[kind].at(-1)!,
            key: `${object} ${receptacle} ${room}`,
          };
      }
      throw new AttuneError(
        "environment",
        `household: no ${room} in ${layoutsTried} where "${task}" takes at most ${actions} actions`,
      );
    };
  return Object.fromEntries(goalKinds.map((kind) => [kind, draw(kind)])) as Record<
    GoalKind,
    TaskKind<HouseholdInput>
  >;
}

type Combination = { room: string; object: string; receptacle: string };

/** Which objects a kind of task can be about. */
const suits: Record<GoalKind, (object: ObjectKind) => boolean> = {
  place: () => true,
  light: ({ lit }) => lit === true,
  clean: ({ cleaned }) => cleaned === true,
  heat: ({ heated }) => heated === true,
  cool: ({ cooled }) => cooled === true,
  two: () => true,
};

/**
 * Every object with every receptacle that it could be brought to, by kind of task. Under a lamp the receptacle is the
 * one where the lamp stands. A receptacle that a room may lack stands there when the goal asks for it.
 */
const combinations = Object.fromEntries(
  goalKinds.map((kind) => [
    kind,
    Object.entries(rooms).flatMap(([room, { receptacles, objects }]): Combination[] => {
      const needs = { clean: "sinkbasin", heat: "microwave", cool: "fridge" }[kind as string];
      const lamp = objects["desklamp"];
      if ((needs && !receptacles[needs]) || (kind === "light" && !lamp)) return [];
      const targets =
        kind === "light" ? lamp!.likely : Object.keys(receptacles).filter((kind) => kind !== needs);
      return Object.entries(objects)
        .filter(([, object]) => !object.fixed && suits[kind](object))
        .flatMap(([object]) => targets.map((receptacle) => ({ room, object, receptacle })));
    }),
  ]),
) as Record<GoalKind, Combination[]>;

/** A room with the objects of a goal in likely places, none of them where the goal wants them, and other objects. */
function drawLayout(
  random: Random,
  { room, goal, receptacle }: { room: string; goal: Goal; receptacle: string },
): Layout {
  const kinds = rooms[room]!;
  const places = Object.entries(kinds.receptacles).flatMap(
    ([
      kind,
      {
        count: [least, most],
      },
    ]) => {
      const count = Math.max(kind === receptacle ? 1 : 0, least + random.integer(most - least + 1));
      return Array.from({ length: count }, (_, index) => `${kind} ${index + 1}`);
    },
  );
  const receptacles: Record<string, string[]> = Object.fromEntries(places.map((place) => [place, []]));
  for (const [object, { likely, fixed }] of Object.entries(kinds.objects)) {
    const isAskedFor = object === goal.object;
    const count = fixed
      ? 1
      : isAskedFor
        ? (goal.kind === "two" ? 2 : 1) + random.integer(2)
        : random.integer(3);
    const where = fixed && goal.kind === "light" ? [receptacle] : likely;
    const spots = spotsFor(where, { places, except: isAskedFor ? goal.receptacle : null });
    for (let number = 1; number <= count; number++)
      receptacles[random.pick(spots)]!.push(`${object} ${number}`);
  }
  return { room, receptacles };
}

/** Receptacles of likely kinds, or any where the room has none of them. */
function spotsFor(
  likely: readonly string[],
  { places, except }: { places: readonly string[]; except: string | null },
): string[] {
  const allowed = places.filter((place) => kindOf(place) !== except);
  const spots = allowed.filter((place) => likely.includes(kindOf(place)));
  return spots.length > 0 ? spots : allowed;
}

/** Actions that the planner takes until the goal holds, or Infinity where it gives up before. */
export function actionsNeeded({ goal, layout }: { goal: Goal; layout: Layout }): number {
  const house = createHouse(layout);
  const steps = plan({ goal, room: layout.room, places: Object.keys(layout.receptacles) });
  let seen = house.entered;
  for (let actions = 0; ; actions++) {
    if (subgoalsThatHold(goal, house).includes(subgoals[goal.kind].at(-1)!)) return actions;
    const step = steps.next(seen);
    const after = step.done ? undefined : house.act(step.value.action);
    if (after === undefined) return Number.POSITIVE_INFINITY;
    seen = after;
  }
}
