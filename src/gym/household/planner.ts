import { kindOf, type RoomKind, rooms } from "./catalogue.ts";
import type { Goal } from "./goal.ts";

/** An action with a word on why. */
export type Step = { thought: string; action: string };

/** Gives steps and is given what was seen after each. Ends when the goal holds or nothing is left to be tried. */
export type Plan = Generator<Step, void, string>;

/** What a planner is told: the task, the room, and the receptacles that stand in it. Not what they hold. */
export type Briefing = { goal: Goal; room: string; places: readonly string[] };

/**
 * Looks for what is needed in one receptacle after the other, likely ones first, opens what is closed, remembers what
 * it saw, and does with the thing what the goal asks.
 */
export function* plan({ goal, room, places }: Briefing): Plan {
  const memory = new Map<string, string[]>();
  const kinds = rooms[room]!;
  const opened = new Set<string>();
  let here: string | undefined;

  function* goTo(place: string): Plan {
    if (here === place) return;
    here = place;
    memory.set(place, thingsIn(yield { thought: "look", action: `go to ${place}` }));
  }

  /** Goes to a receptacle and sees to it that it is open. */
  function* visit(place: string): Plan {
    yield* goTo(place);
    if (!kinds.receptacles[kindOf(place)]?.closed || opened.has(place)) return;
    opened.add(place);
    memory.set(place, thingsIn(yield { thought: "open", action: `open ${place}` }));
  }

  /** Goes to where a thing of a kind is, `except` in some place. */
  function* find(
    kind: string,
    except?: string,
  ): Generator<Step, { thing: string; place: string } | undefined, string> {
    const ranked = byLikelihood(places, { kinds, kind }).filter((place) => place !== except);
    const remembered = ranked.find((place) => memory.get(place)?.some((thing) => kindOf(thing) === kind));
    const unseen = ranked.filter((place) => !isKnown(place));
    for (const place of remembered ? [remembered] : unseen) {
      yield* visit(place);
      const thing = memory.get(place)?.find((thing) => kindOf(thing) === kind);
      if (thing) return { thing, place };
    }
    return undefined;
  }

  function* fetch(except?: string): Generator<Step, string | undefined, string> {
    const found = yield* find(goal.object, except);
    if (!found) return undefined;
    yield { thought: "take", action: `take ${found.thing} from ${found.place}` };
    memory.set(
      found.place,
      memory.get(found.place)!.filter((thing) => thing !== found.thing),
    );
    return found.thing;
  }

  const isKnown = (place: string) =>
    memory.has(place) && (opened.has(place) || !kinds.receptacles[kindOf(place)]?.closed);
  const nearest = (kind: string | null) => places.find((place) => kindOf(place) === kind);

  function* put(thing: string, place: string): Plan {
    yield* visit(place);
    yield { thought: "put", action: `put ${thing} in/on ${place}` };
  }

  const thing = yield* fetch();
  if (!thing) return;
  if (goal.kind === "light") {
    const lamp = yield* find("desklamp");
    if (lamp) yield { thought: "light", action: `use ${lamp.thing}` };
    return;
  }
  const treatment = treatments[goal.kind];
  if (treatment) {
    const appliance = nearest(treatment.appliance)!;
    // it works closed
    yield* goTo(appliance);
    yield { thought: treatment.verb, action: `${treatment.verb} ${thing} with ${appliance}` };
  }
  const target = nearest(goal.receptacle)!;
  yield* put(thing, target);
  if (goal.kind !== "two") return;
  const other = yield* fetch(target);
  if (other) yield* put(other, target);
}

const treatments: Partial<Record<Goal["kind"], { verb: string; appliance: string }>> = {
  clean: { verb: "clean", appliance: "sinkbasin" },
  heat: { verb: "heat", appliance: "microwave" },
  cool: { verb: "cool", appliance: "fridge" },
};

/** Receptacles where a kind of thing is likely first, then the others, each in the order of the room. */
function byLikelihood(
  places: readonly string[],
  { kinds, kind }: { kinds: RoomKind; kind: string },
): string[] {
  const likely = kinds.objects[kind]?.likely ?? [];
  const rank = (place: string) => {
    const index = likely.indexOf(kindOf(place));
    return index === -1 ? likely.length : index;
  };
  return places.toSorted((a, b) => rank(a) - rank(b));
}

/** Things named in an observation: "a mug 1, a plate 2". What comes after the first line is not looked at. */
const thingsIn = (seen: string): string[] =>
  Array.from(
    seen
      .split("\n")[0]!
      .split(" you see ")[1]
      ?.matchAll(/\ba ([a-z]+ \d+)/g) ?? [],
    ([, thing]) => thing!,
  );
