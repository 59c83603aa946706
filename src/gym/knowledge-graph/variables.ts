import { ToolError } from "../../spec/tool.ts";
import { type Graph, unknownType } from "./graph.ts";

export type Variable = { type: string; members: string[] };

/** A session's results so far: what is made gets the next number, `#0` first. */
export type Variables = {
  /** As they are, for the session's outcome. */
  all: readonly Variable[];
  getRelations(variable: string): string;
  getNeighbors(variable: string, relation: string): string;
  intersection(variable1: string, variable2: string): string;
  getAttributes(variable: string): string;
  extreme(tool: "argmax" | "argmin", variable: string, attribute: string): string;
  count(variable: string): string;
};

const numberType = "number";
/** Names of relations or attributes that one observation lists. */
const mostNamed = 100;

/**
 * The seven operations of AgentBench's knowledge graph (arXiv 2308.03688) over one graph. Sets stay hidden behind
 * their variables; whatever cannot be done is a `ToolError` that says what the operation expects.
 */
export function createVariables(graph: Graph, { mostEntities }: { mostEntities: number }): Variables {
  const all: Variable[] = [];
  const add = (tool: string, type: string, members: Iterable<string>): string => {
    const variable = { type, members: [...members] };
    if (variable.members.length > mostEntities)
      throw new ToolError(
        `${tool}: the result has ${variable.members.length} entities, at most ${mostEntities} are kept`,
      );
    all.push(variable);
    const name = `Variable #${all.length - 1}`;
    if (variable.members.length === 0) return `${name}, which is empty`;
    return type === numberType ? `${name}, which is a number` : `${name}, which are instances of ${type}`;
  };
  const setOf = (tool: string, given: string): Variable => {
    const found = numbered(tool, given);
    if (!found) throw new ToolError(`${tool}: expected a variable like #0, got "${given}"`);
    if (found.type === numberType)
      throw new ToolError(`${tool}: ${given} is a number, expected a set of entities`);
    return found;
  };
  const numbered = (tool: string, given: string): Variable | undefined => {
    const index = /^\s*#(\d+)\s*$/.exec(given)?.[1];
    if (index === undefined) return undefined;
    const found = all[Number(index)];
    if (found) return found;
    const there = all.length === 0 ? "there is none yet" : `there are #0 to #${all.length - 1}`;
    throw new ToolError(`${tool}: no variable #${index}, ${there}`);
  };
  const anyOf = (tool: string, given: string): readonly string[] => {
    if (numbered(tool, given)) return setOf(tool, given).members;
    const entity = graph.entityNamed(given);
    if (entity === undefined)
      throw new ToolError(`${tool}: expected a variable like #0 or an entity, got "${given}"`);
    return [entity];
  };

  return {
    all,
    getRelations: (variable) => listed(graph.relationsOf(anyOf("get_relations", variable))),
    getNeighbors(variable, relation) {
      const from = anyOf("get_neighbors", variable);
      const found = graph.neighbors(from, relation);
      if (found.size === 0)
        throw new ToolError(
          `get_neighbors: "${relation}" is not a relation of ${variable}; it has ${listed(graph.relationsOf(from))}`,
        );
      return add("get_neighbors", graph.rangeOf(relation), found);
    },
    intersection(variable1, variable2) {
      const [first, second] = [setOf("intersection", variable1), setOf("intersection", variable2)];
      const types = new Set([first.type, second.type]);
      types.delete(unknownType);
      if (types.size > 1)
        throw new ToolError(
          `intersection: expected two variables of the same type, got ${first.type} and ${second.type}`,
        );
      const members = new Set(second.members);
      return add(
        "intersection",
        [...types][0] ?? unknownType,
        first.members.filter((entity) => members.has(entity)),
      );
    },
    getAttributes: (variable) => listed(graph.attributesOf(setOf("get_attributes", variable).members)),
    extreme(tool, variable, attribute) {
      const { type, members } = setOf(tool, variable);
      const found = graph.extreme(members, { attribute, highest: tool === "argmax" });
      if (found.size === 0)
        throw new ToolError(
          `${tool}: "${attribute}" is not an attribute of ${variable}; it has ${listed(graph.attributesOf(members))}`,
        );
      return add(tool, type, found);
    },
    count: (variable) => add("count", numberType, [String(setOf("count", variable).members.length)]),
  };
}

function listed(names: readonly string[]): string {
  const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : "";
  return `[${names.slice(0, mostNamed).join(", ")}${more}]`;
}
