import { kindOf, type ObjectKind, rooms } from "./catalogue.ts";
import type { HouseState, Temperature } from "./goal.ts";

/** Where everything is before anybody moves: the room, and what stands in or on each receptacle. */
export type Layout = { room: string; receptacles: Record<string, string[]> };

export type House = HouseState & {
  /** The room as it is entered. */
  entered: string;
  /** What can be done now, in a fixed order. */
  admissible(): string[];
  /** Does an action. Returns what is seen, or undefined where it cannot be done now. */
  act(action: string): string | undefined;
};

/** Appliances by what they do to a thing that is held beside them. */
const appliances = { clean: "sinkbasin", heat: "microwave", cool: "fridge" } as const;
type Treatment = keyof typeof appliances;
const property: Record<Treatment, keyof ObjectKind> = { clean: "cleaned", heat: "heated", cool: "cooled" };

/**
 * One room that answers text actions: go to, open, close, take, put, clean, heat, cool, use, examine, look and
 * inventory. One thing can be carried; what a receptacle holds is seen from beside it when it is open.
 */
export function createHouse({ room, receptacles }: Layout): House {
  const kinds = rooms[room]!;
  const places = Object.keys(receptacles);
  const contents = new Map(Object.entries(receptacles).map(([place, things]) => [place, [...things]]));
  const closed = new Set(places.filter((place) => kinds.receptacles[kindOf(place)]?.closed));
  const [clean, lampsOn, seen] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const temperature = new Map<string, Temperature>();
  let location: string | null = null;
  let holding: string | null = null;

  const isClosable = (place: string) => kinds.receptacles[kindOf(place)]?.closed === true;
  const inSight = () => (location === null || closed.has(location) ? [] : contents.get(location)!);

  function describe(place: string): string {
    if (closed.has(place)) return `The ${place} is closed.`;
    for (const thing of contents.get(place)!) seen.add(thing);
    const where = isClosable(place) ? `The ${place} is open. In it` : `On the ${place}`;
    return `${where} you see ${list(contents.get(place)!)}.`;
  }

  function describeThing(thing: string): string {
    const states = [clean.has(thing) && "clean", temperature.get(thing), lampsOn.has(thing) && "on"];
    const known = states.filter((state) => state);
    return known.length === 0 ? `A ${thing}, as usual.` : `A ${thing}; it is ${known.join(" and ")}.`;
  }

  function treat(treatment: Treatment, thing: string): string {
    if (treatment === "clean") clean.add(thing);
    else temperature.set(thing, treatment === "heat" ? "hot" : "cool");
    return `You ${treatment} the ${thing} with the ${location}.`;
  }

  /** Actions with what each does. */
  function* possible(): Generator<[action: string, run: () => string]> {
    for (const place of places) {
      if (place === location) continue;
      yield [
        `go to ${place}`,
        () => {
          location = place;
          return `You are at the ${place}. ${describe(place)}`;
        },
      ];
    }
    if (location !== null) yield* possibleHere(location);
    if (holding !== null) yield [`examine ${holding}`, () => describeThing(holding!)];
    yield ["inventory", () => (holding === null ? "You carry nothing." : `You carry a ${holding}.`)];
    yield ["look", () => (location === null ? entered : `You are at the ${location}. ${describe(location)}`)];
  }

  function* possibleHere(place: string): Generator<[action: string, run: () => string]> {
    const things = contents.get(place)!;
    if (isClosable(place)) {
      const [verb, change] = closed.has(place)
        ? (["open", () => closed.delete(place)] as const)
        : (["close", () => closed.add(place)] as const);
      yield [
        `${verb} ${place}`,
        () => {
          change();
          return `You ${verb} the ${place}. ${describe(place)}`;
        },
      ];
    }
    for (const thing of inSight()) {
      if (kinds.objects[kindOf(thing)]?.fixed) {
        yield [
          `use ${thing}`,
          () => {
            const wasOn = lampsOn.delete(thing);
            if (!wasOn) lampsOn.add(thing);
            return `You turn the ${thing} ${wasOn ? "off" : "on"}.`;
          },
        ];
      } else if (holding === null) {
        yield [
          `take ${thing} from ${place}`,
          () => {
            things.splice(things.indexOf(thing), 1);
            holding = thing;
            return `You take the ${thing} from the ${place}.`;
          },
        ];
      }
    }
    if (holding !== null) {
      const thing = holding;
      if (!closed.has(place))
        yield [
          `put ${thing} in/on ${place}`,
          () => {
            things.push(thing);
            holding = null;
            return `You put the ${thing} in/on the ${place}.`;
          },
        ];
      for (const [treatment, appliance] of Object.entries(appliances) as [Treatment, string][])
        if (kindOf(place) === appliance && kinds.objects[kindOf(thing)]?.[property[treatment]])
          yield [`${treatment} ${thing} with ${place}`, () => treat(treatment, thing)];
    }
    yield [`examine ${place}`, () => describe(place)];
  }

  const entered = `You are in the middle of a ${room}. Around you are ${list(places)}.`;
  return {
    entered,
    contents,
    clean,
    temperature,
    lampsOn,
    seen,
    get holding() {
      return holding;
    },
    get location() {
      return location;
    },
    admissible: () => Array.from(possible(), ([action]) => action),
    act(action) {
      for (const [known, run] of possible()) if (known === action) return run();
      return undefined;
    },
  };
}

const list = (names: readonly string[]) =>
  names.length === 0 ? "nothing" : names.map((name) => `a ${name}`).join(", ");
