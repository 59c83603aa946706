import { kindOf } from "./catalogue.ts";

export const goalKinds = ["place", "light", "clean", "heat", "cool", "two"] as const;
export type GoalKind = (typeof goalKinds)[number];

/** What is to hold at the end. `receptacle` is null where the thing is to be held under a lamp. */
export type Goal = { kind: GoalKind; object: string; receptacle: string | null };

export type Temperature = "hot" | "cool";

/** What of a house a goal looks at. */
export type HouseState = {
  /** What stands in or on a receptacle, by its name. */
  contents: ReadonlyMap<string, readonly string[]>;
  holding: string | null;
  location: string | null;
  clean: ReadonlySet<string>;
  temperature: ReadonlyMap<string, Temperature>;
  lampsOn: ReadonlySet<string>;
  /** Every object that has been in sight. */
  seen: ReadonlySet<string>;
};

/** Steps on the way to a goal in their order; the last one is the goal itself. */
export const subgoals: Readonly<Record<GoalKind, readonly string[]>> = {
  place: ["found", "taken", "placed"],
  light: ["found", "taken", "lit"],
  clean: ["found", "taken", "cleaned", "placed"],
  heat: ["found", "taken", "heated", "placed"],
  cool: ["found", "taken", "cooled", "placed"],
  two: ["found", "taken", "placed", "taken again", "placed both"],
};

/** Which of the goal's subgoals hold in a state. Whoever keeps them as reached adds them up over an episode. */
export function subgoalsThatHold(goal: Goal, state: HouseState): string[] {
  const { kind, object } = goal;
  const isOne = (name: string) => kindOf(name) === object;
  const isReady = (name: string) => isOne(name) && isChanged(kind, { name, state });
  const held = state.holding !== null && isOne(state.holding) ? state.holding : null;
  const placed = mostTogether(goal, { state, isReady });
  const anywhere = [...state.contents.values()].flat();
  if (state.holding !== null) anywhere.push(state.holding);
  const holds: Record<string, boolean> = {
    found: [...state.seen].some(isOne),
    taken: held !== null,
    cleaned: anywhere.some(isReady),
    heated: anywhere.some(isReady),
    cooled: anywhere.some(isReady),
    lit: held !== null && isUnderLamp(state),
    placed: placed >= 1,
    "taken again": held !== null && placed >= 1,
    "placed both": placed >= 2,
  };
  return subgoals[kind].filter((name) => holds[name]);
}

/** Most things of a goal, changed as it asks, that stand in or on one and the same receptacle of its kind. */
function mostTogether(
  { receptacle }: Goal,
  { state, isReady }: { state: HouseState; isReady: (name: string) => boolean },
): number {
  let most = 0;
  for (const [place, things] of state.contents)
    if (kindOf(place) === receptacle) most = Math.max(most, things.filter(isReady).length);
  return most;
}

function isChanged(kind: GoalKind, { name, state }: { name: string; state: HouseState }): boolean {
  if (kind === "clean") return state.clean.has(name);
  if (kind === "heat") return state.temperature.get(name) === "hot";
  if (kind === "cool") return state.temperature.get(name) === "cool";
  return true;
}

function isUnderLamp({ location, contents, lampsOn }: HouseState): boolean {
  return location !== null && (contents.get(location) ?? []).some((name) => lampsOn.has(name));
}

/** A goal in words; `pick` chooses among the ways to say it. */
export function sayGoal(
  { kind, object, receptacle }: Goal,
  pick: (ways: readonly string[]) => string,
): string {
  return pick(phrasings[kind])
    .replace("OBJECTS", pluralOf(object))
    .replace("OBJECT", object)
    .replace("RECEPTACLE", receptacle ?? "");
}

const phrasings: Readonly<Record<GoalKind, readonly string[]>> = {
  place: ["put some OBJECT in or on a RECEPTACLE", "bring one OBJECT to a RECEPTACLE"],
  light: ["look at some OBJECT under the desklamp", "hold one OBJECT in the light of the desklamp"],
  clean: ["put a clean OBJECT in or on a RECEPTACLE", "clean some OBJECT and put it in or on a RECEPTACLE"],
  heat: ["put a hot OBJECT in or on a RECEPTACLE", "heat some OBJECT and put it in or on a RECEPTACLE"],
  cool: ["put a cool OBJECT in or on a RECEPTACLE", "cool some OBJECT and put it in or on a RECEPTACLE"],
  two: [
    "find two OBJECTS and put them in or on the same RECEPTACLE",
    "put two OBJECTS in or on one RECEPTACLE",
  ],
};

function pluralOf(object: string): string {
  if (object === "knife") return "knives";
  return /(?:x|ch|to)$/.test(object) ? `${object}es` : `${object}s`;
}
