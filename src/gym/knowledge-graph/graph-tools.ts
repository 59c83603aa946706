import { z } from "zod";
import { tool } from "../../environment/tool.ts";
import type { Tool } from "../../spec/tool.ts";
import type { Variables } from "./variables.ts";

const anything = z.string().describe("a variable like #0, or an entity");
const variable = z.string().describe("a variable like #0");
const of = z.object({ variable: anything });
const ofSet = z.object({ variable });
const neighbors = z.object({ variable: anything, relation: z.string() });
const two = z.object({ variable1: variable, variable2: variable });
const extreme = z.object({ variable, attribute: z.string() });

/** The seven tools of AgentBench's knowledge graph, under their names there. */
export const graphTools = (variables: Variables): Tool[] => [
  tool({
    name: "get_relations",
    description: "Lists the relations that lead away from an entity or from anything in a variable.",
    input: of,
    execute: ({ variable }) => variables.getRelations(variable),
  }),
  tool({
    name: "get_neighbors",
    description: "Makes a variable of everything that a relation leads to.",
    input: neighbors,
    execute: ({ variable, relation }) => variables.getNeighbors(variable, relation),
  }),
  tool({
    name: "intersection",
    description: "Makes a variable of what two variables of the same type have in common.",
    input: two,
    execute: ({ variable1, variable2 }) => variables.intersection(variable1, variable2),
  }),
  tool({
    name: "get_attributes",
    description: "Lists the numeric attributes of what is in a variable, for argmax and argmin.",
    input: ofSet,
    execute: ({ variable }) => variables.getAttributes(variable),
  }),
  tool({
    name: "argmax",
    description: "Makes a variable of the one with the highest value of an attribute.",
    input: extreme,
    execute: ({ variable, attribute }) => variables.extreme("argmax", variable, attribute),
  }),
  tool({
    name: "argmin",
    description: "Makes a variable of the one with the lowest value of an attribute.",
    input: extreme,
    execute: ({ variable, attribute }) => variables.extreme("argmin", variable, attribute),
  }),
  tool({
    name: "count",
    description: "Makes a variable of the number of things in a variable.",
    input: ofSet,
    execute: ({ variable }) => variables.count(variable),
  }),
];
