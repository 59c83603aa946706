import { AttuneError } from "../../spec/error.ts";

/** Subject, relation, object. A number as object is an attribute; the relation `type` says what a subject is. */
export type Triple = readonly [subject: string, relation: string, object: string | number];

/** What can be asked of a set of entities. Results are in the order of the triples. */
export type Graph = {
  /** Entities with at least one relation. */
  entities: readonly string[];
  /** The entity of this name, or else the one whose name differs in case and accents alone. */
  entityNamed(name: string): string | undefined;
  typeOf(entity: string): string;
  /** Names of the relations that lead away from at least one of them, in alphabetical order. */
  relationsOf(entities: Iterable<string>): string[];
  neighbors(entities: Iterable<string>, relation: string): Set<string>;
  /** The type of everything a relation leads to; `entity` where there are several. */
  rangeOf(relation: string): string;
  /** The relation that leads back, if there is one; a symmetric one leads back itself. */
  inverseOf(relation: string): string | undefined;
  attributesOf(entities: Iterable<string>): string[];
  /** Those with the highest or lowest value; several where they are equal. */
  extreme(entities: Iterable<string>, options: { attribute: string; highest: boolean }): Set<string>;
};

const typeRelation = "type";
/** The type of what has none, or of several things of several types. */
export const unknownType = "entity";

/**
 * Indexes triples for walks in both directions: the way back from `capital` is `capital_of`, unless `inverses` names
 * it (the same name: the relation is symmetric; null: there is no way back). Throws `AttuneError` (usage) for what
 * is no triple.
 */
export function createGraph(
  triples: readonly Triple[],
  { inverses = {} }: { inverses?: Readonly<Record<string, string | null>> } = {},
): Graph {
  const edges = new Map<string, Map<string, Set<string>>>();
  const attributes = new Map<string, Map<string, number>>();
  const types = new Map<string, string>();
  const ranges = new Map<string, Set<string>>();
  const back = new Map<string, string>();
  const entities = new Set<string>();
  const inverseName = (relation: string) =>
    Object.hasOwn(inverses, relation) ? inverses[relation]! : `${relation}_of`;
  const link = (from: string, relation: string, to: string) => {
    at(at(edges, from, newEdges), relation, newSet).add(to);
  };
  for (const [index, triple] of triples.entries()) {
    checkTriple(triple, index);
    const [subject, relation, object] = triple;
    entities.add(subject);
    if (relation === typeRelation) types.set(subject, String(object));
    else if (typeof object === "number") at(attributes, subject, newValues).set(relation, object);
    else {
      entities.add(object);
      link(subject, relation, object);
      const inverse = inverseName(relation);
      if (inverse === null) continue;
      link(object, inverse, subject);
      back.set(relation, inverse).set(inverse, relation);
    }
  }
  const typeOf = (entity: string) => types.get(entity) ?? unknownType;
  for (const relations of edges.values())
    for (const [relation, found] of relations)
      for (const entity of found) at(ranges, relation, newSet).add(typeOf(entity));
  const similar = new Map<string, string>();
  for (const entity of entities) at(similar, evened(entity), () => entity);

  return {
    entities: [...edges.keys()],
    entityNamed: (name) => (entities.has(name) ? name : similar.get(evened(name))),
    typeOf,
    relationsOf: (entities) => namesIn(edges, entities),
    neighbors(entities, relation) {
      const found = new Set<string>();
      for (const entity of entities)
        for (const neighbor of edges.get(entity)?.get(relation) ?? []) found.add(neighbor);
      return found;
    },
    rangeOf(relation) {
      const [type, another] = ranges.get(relation) ?? [];
      return type === undefined || another !== undefined ? unknownType : type;
    },
    inverseOf: (relation) => back.get(relation),
    attributesOf: (entities) => namesIn(attributes, entities),
    extreme(entities, { attribute, highest }) {
      const valued = [...entities].flatMap((entity) => {
        const value = attributes.get(entity)?.get(attribute);
        return value === undefined ? [] : [{ entity, value: highest ? value : -value }];
      });
      const best = valued.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY);
      return new Set(valued.flatMap(({ entity, value }) => (value === best ? [entity] : [])));
    },
  };
}

function checkTriple(triple: Triple, index: number): void {
  const refuse = (expected: string) => {
    throw new AttuneError(
      "usage",
      `knowledge-graph: triple ${index}: got ${JSON.stringify(triple)}, expected ${expected}`,
    );
  };
  if (!Array.isArray(triple) || triple.length !== 3) refuse("[subject, relation, object]");
  const [subject, relation, object] = triple;
  if (![subject, relation].every((part) => typeof part === "string" && part.trim() !== ""))
    refuse("a subject and a relation in words");
  if (typeof object === "number" ? !Number.isFinite(object) : typeof object !== "string" || !object.trim())
    refuse("an object in words, or a finite number");
  // "#0" names a variable
  if (/^#\d+$/.test(subject) || /^#\d+$/.test(String(object))) refuse("names other than # and a number");
}

const newSet = () => new Set<string>();
const newEdges = () => new Map<string, Set<string>>();
const newValues = () => new Map<string, number>();

function at<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function namesIn<Value>(
  index: ReadonlyMap<string, ReadonlyMap<string, Value>>,
  entities: Iterable<string>,
): string[] {
  const names = new Set<string>();
  for (const entity of entities) for (const name of index.get(entity)?.keys() ?? []) names.add(name);
  return [...names].sort();
}

const evened = (name: string) => name.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase();
