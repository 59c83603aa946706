import type { Graph } from "./graph.ts";

/** What a question asks for, as one expression over a graph. */
export type Query =
  | { entity: string }
  | { neighbors: Query; relation: string }
  | { intersection: [Query, Query] }
  | { argmax: Query; attribute: string }
  | { argmin: Query; attribute: string }
  | { count: Query };

/** How relations and attributes are spoken of. `{}` in a relation's phrase is where it starts. */
export type Wording = {
  relations?: Readonly<Record<string, string>>;
  attributes?: Readonly<Record<string, { most: string; least: string }>>;
};

export type GraphCall = { name: string; arguments: Record<string, string> };

/** The set a query stands for; a count is the set of one number in digits. */
export function evaluateQuery(graph: Graph, query: Query): Set<string> {
  const inner = (query: Query) => evaluateQuery(graph, query);
  if ("entity" in query) return new Set([graph.entityNamed(query.entity) ?? query.entity]);
  if ("neighbors" in query) return graph.neighbors(inner(query.neighbors), query.relation);
  if ("intersection" in query) {
    const second = inner(query.intersection[1]);
    return new Set([...inner(query.intersection[0])].filter((entity) => second.has(entity)));
  }
  if ("count" in query) return new Set([String(inner(query.count).size)]);
  const { attribute } = query;
  return "argmax" in query
    ? graph.extreme(inner(query.argmax), { attribute, highest: true })
    : graph.extreme(inner(query.argmin), { attribute, highest: false });
}

/**
 * The calls that find out a query, innermost first. With `looking`, each relation and attribute is looked up before
 * it is used, as someone would who does not know the graph. The last call makes the variable that is the answer.
 */
export function callsOf(query: Query, { looking }: { looking: boolean }): GraphCall[] {
  const calls: GraphCall[] = [];
  let variables = 0;
  const call = (name: string, given: Record<string, string>) => void calls.push({ name, arguments: given });
  const make = (name: string, given: Record<string, string>) => {
    call(name, given);
    return `#${variables++}`;
  };
  const visit = (query: Query): string => {
    if ("entity" in query) return query.entity;
    if ("neighbors" in query) {
      const variable = visit(query.neighbors);
      if (looking) call("get_relations", { variable });
      return make("get_neighbors", { variable, relation: query.relation });
    }
    if ("intersection" in query) {
      const [variable1, variable2] = [visit(query.intersection[0]), visit(query.intersection[1])];
      return make("intersection", { variable1, variable2 });
    }
    if ("count" in query) return make("count", { variable: visit(query.count) });
    const variable = visit("argmax" in query ? query.argmax : query.argmin);
    if (looking) call("get_attributes", { variable });
    return make("argmax" in query ? "argmax" : "argmin", { variable, attribute: query.attribute });
  };
  visit(query);
  return calls;
}

/** The entities a query starts from. */
export function entitiesOf(query: Query): string[] {
  if ("entity" in query) return [query.entity];
  if ("intersection" in query) return [...new Set(query.intersection.flatMap(entitiesOf))];
  return entitiesOf(innerOf(query));
}

/** What a query stands for, in words. A relation from several things is one from any of them. */
export function phraseOf(query: Query, wording: Wording): string {
  if ("entity" in query) return query.entity;
  if ("neighbors" in query) {
    const phrase = wording.relations?.[query.relation] ?? `the ${query.relation.replaceAll("_", " ")} of {}`;
    const from = phraseOf(query.neighbors, wording);
    return phrase.replace("{}", () => (isOne(query.neighbors) ? from : `any of ${from}`));
  }
  if ("intersection" in query) {
    const [first, second] = query.intersection.map((part) => phraseOf(part, wording));
    return `those among both ${first} and ${second}`;
  }
  if ("count" in query) return `the number of ${phraseOf(query.count, wording)}`;
  const words = wording.attributes?.[query.attribute] ?? {
    most: `the highest ${query.attribute}`,
    least: `the lowest ${query.attribute}`,
  };
  return `the one with ${"argmax" in query ? words.most : words.least} among ${phraseOf(innerOf(query), wording)}`;
}

const isOne = (query: Query) => "entity" in query || "argmax" in query || "argmin" in query;

function innerOf(query: Exclude<Query, { entity: string } | { intersection: [Query, Query] }>): Query {
  if ("neighbors" in query) return query.neighbors;
  if ("count" in query) return query.count;
  return "argmax" in query ? query.argmax : query.argmin;
}
