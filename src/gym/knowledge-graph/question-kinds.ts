import type { TaskKind } from "../../environment/task-stream.ts";
import type { Random } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Graph } from "./graph.ts";
import { entitiesOf, evaluateQuery, phraseOf, type Query, type Wording } from "./query.ts";

/** `find` is what is asked for, as far as it is known how to find it. */
export type KnowledgeGraphInput = { question: string; entities: string[]; find: Query | null };

type Draw = (graph: Graph, random: Random) => Query | undefined;

/** Entities that may stand at a step on the way, and in an answer. */
const [mostOnTheWay, mostAnswers] = [60, 30];
/** Draws until a graph is said to have no question of a kind. */
const drawsAllowed = 3000;

const draws: Record<string, Draw> = {
  "one-hop": (graph, random) => drawWalk(graph, random, 1),
  "two-hop": (graph, random) => drawWalk(graph, random, 2),
  "three-hop": (graph, random) => drawWalk(graph, random, 3),
  "four-hop": (graph, random) => drawWalk(graph, random, 4),
  intersection: drawIntersection,
  count: (graph, random) => drawCount(graph, drawWalk(graph, random, 1 + random.integer(2))),
  superlative: (graph, random) =>
    drawExtreme(graph, { random, of: drawWalk(graph, random, 1 + random.integer(2)) }),
  combined(graph, random) {
    switch (random.integer(4)) {
      case 0:
        return drawCount(graph, drawIntersection(graph, random));
      case 1:
        return drawExtreme(graph, { random, of: drawIntersection(graph, random) });
      case 2:
        return drawStep(graph, { random, from: drawIntersection(graph, random) });
      default:
        return drawStep(graph, { random, from: draws["superlative"]!(graph, random) });
    }
  },
};

export const questionKindNames = Object.keys(draws);

/**
 * Kinds of question over a graph. A question is drawn until its answer is neither empty nor long, differs from
 * everything seen on the way, and is not one relation away from where it starts.
 */
export function questionKinds(graph: Graph, wording: Wording): Record<string, TaskKind<KnowledgeGraphInput>> {
  return Object.fromEntries(
    Object.entries(draws).map(([kind, draw]) => [
      kind,
      (random: Random) => {
        for (let attempt = 0; attempt < drawsAllowed; attempt++) {
          const find = graph.entities.length > 0 && draw(graph, random);
          if (!find) continue;
          const phrase = phraseOf("count" in find ? find.count : find, wording);
          const question =
            "count" in find
              ? `How many are there: ${phrase}?`
              : random.pick([`Find ${phrase}.`, `Name ${phrase}.`]);
          const input = { question, entities: entitiesOf(find), find };
          return { input, answer: [...evaluateQuery(graph, find)].sort(), key: phrase };
        }
        throw new AttuneError(
          "environment",
          `environment "knowledge-graph": no question of kind "${kind}" in ${drawsAllowed} draws from ${graph.entities.length} entities`,
        );
      },
    ]),
  );
}

/** Some relations from an entity that never turn straight back, except along a symmetric relation. */
function drawWalk(graph: Graph, random: Random, hops: number): Query | undefined {
  const entity = drawStart(graph, random);
  let query: Query = { entity };
  const seen = [new Set([entity])];
  let last: string | undefined;
  for (let hop = 0; hop < hops; hop++) {
    const here = seen.at(-1)!;
    const back = last === undefined ? undefined : graph.inverseOf(last);
    const relations = graph.relationsOf(here).filter((relation) => relation !== back || relation === last);
    if (relations.length === 0) return undefined;
    last = random.pick(relations);
    const next = graph.neighbors(here, last);
    if (next.size > (hop === hops - 1 ? mostAnswers : mostOnTheWay)) return undefined;
    if (seen.some((set) => same(set, next))) return undefined;
    query = { neighbors: query, relation: last };
    seen.push(next);
  }
  // a longer way to what the first relation tells is no question of its own
  if (hops > 1 && isOneRelationFrom(graph, { entity, set: seen.at(-1)! })) return undefined;
  return query;
}

/** Every second time the one of two that more is known about, since most things are known for one relation alone. */
function drawStart(graph: Graph, random: Random): string {
  const [first, second] = [random.pick(graph.entities), random.pick(graph.entities)];
  if (random.next() < 0.5) return first;
  return graph.relationsOf([second]).length > graph.relationsOf([first]).length ? second : first;
}

/** Two ways to a thing that is drawn, neither of which tells it without the other. */
function drawIntersection(graph: Graph, random: Random): Query | undefined {
  const target = random.pick(graph.entities);
  const sides = [0, 1].flatMap(() => {
    const [relation] = random.shuffle(graph.relationsOf([target]));
    const back = relation === undefined ? undefined : graph.inverseOf(relation);
    if (relation === undefined || back === undefined) return [];
    const entity = random.pick([...graph.neighbors([target], relation)]);
    return [
      { query: { neighbors: { entity }, relation: back }, entity, set: graph.neighbors([entity], back) },
    ];
  });
  const [first, second] = sides;
  if (!first || !second || first.entity === second.entity) return undefined;
  if (graph.rangeOf(first.query.relation) !== graph.rangeOf(second.query.relation)) return undefined;
  const common = [...first.set].filter((entity) => second.set.has(entity));
  if (common.length > mostAnswers || sides.some(({ set }) => set.size === common.length)) return undefined;
  return { intersection: [first.query, second.query] };
}

/** Of one thing there is nothing to count. */
function drawCount(graph: Graph, of: Query | undefined): Query | undefined {
  return of && evaluateQuery(graph, of).size > 1 ? { count: of } : undefined;
}

function drawExtreme(
  graph: Graph,
  { random, of }: { random: Random; of: Query | undefined },
): Query | undefined {
  if (!of) return undefined;
  const set = evaluateQuery(graph, of);
  const attributes = set.size > 1 ? graph.attributesOf(set) : [];
  if (attributes.length === 0) return undefined;
  const attribute = random.pick(attributes);
  const highest = random.next() < 0.5;
  const best = graph.extreme(set, { attribute, highest });
  if (best.size !== 1) return undefined;
  return highest ? { argmax: of, attribute } : { argmin: of, attribute };
}

function drawStep(
  graph: Graph,
  { random, from }: { random: Random; from: Query | undefined },
): Query | undefined {
  if (!from) return undefined;
  const here = evaluateQuery(graph, from);
  const relations = graph.relationsOf(here);
  if (relations.length === 0) return undefined;
  const relation = random.pick(relations);
  const next = graph.neighbors(here, relation);
  if (next.size > mostAnswers || same(here, next)) return undefined;
  if (entitiesOf(from).some((entity) => next.has(entity) || isOneRelationFrom(graph, { entity, set: next })))
    return undefined;
  return { neighbors: from, relation };
}

const isOneRelationFrom = (graph: Graph, { entity, set }: { entity: string; set: ReadonlySet<string> }) =>
  graph.relationsOf([entity]).some((relation) => same(graph.neighbors([entity], relation), set));

const same = (a: ReadonlySet<string>, b: ReadonlySet<string>) =>
  a.size === b.size && [...a].every((item) => b.has(item));
