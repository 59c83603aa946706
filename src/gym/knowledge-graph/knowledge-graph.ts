import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { createRandom } from "../../kit/random.ts";
import { format, toolFailures, toolUse } from "../../reward/components.ts";
import type { Environment, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json } from "../../spec/json.ts";
import { countryInverses, countryTriples, countryWording } from "./country-triples.ts";
import { type GivenQuestion, givenTasks } from "./given-questions.ts";
import { isExactSet, setF1 } from "./grade-set.ts";
import { createGraph, type Graph, type Triple } from "./graph.ts";
import { graphTools } from "./graph-tools.ts";
import { callsOf, type Wording } from "./query.ts";
import { type KnowledgeGraphInput, questionKindNames, questionKinds } from "./question-kinds.ts";
import { createVariables } from "./variables.ts";

export type { GivenQuestion } from "./given-questions.ts";
export type { Triple } from "./graph.ts";
export type { Wording } from "./query.ts";
export type { KnowledgeGraphInput } from "./question-kinds.ts";

export type KnowledgeGraphOptions = {
  /** Among one-hop, two-hop, three-hop, four-hop, intersection, count, superlative and combined. */
  kinds?: readonly string[];
  /** What is known; countries of the world when absent. */
  triples?: readonly Triple[];
  /** Names of the ways back: the same name for a symmetric relation, null for none, else `relation_of`. */
  inverses?: Readonly<Record<string, string | null>>;
  wording?: Wording;
  /** Asked instead of questions drawn from the graph. */
  questions?: readonly GivenQuestion[];
  /** Tool calls in an episode. */
  steps?: number;
  /** Entities that a variable may hold. */
  mostEntities?: number;
};

const system =
  "Answer the question by walking through a knowledge graph with the tools. Look up relations before you follow " +
  "one. Tools that find something keep it in a variable, #0 first; you see its type, not what is in it. When a " +
  "variable is exactly the answer, end with its number: <answer>#2</answer>";

/**
 * Multi-hop questions over triples, with AgentBench's seven tools, graded on the exact set. Over countries of the
 * world, or over triples (and questions) of the user's own.
 */
export function knowledgeGraph({
  kinds: only,
  triples,
  inverses,
  wording,
  questions,
  steps = 15,
  mostEntities = 10_000,
}: KnowledgeGraphOptions = {}): Environment {
  for (const [name, value] of Object.entries({ steps, mostEntities })) {
    if (!Number.isInteger(value) || value < 1)
      throw new AttuneError("usage", `knowledge-graph: expected ${name} of 1 or more, got ${value}`);
  }
  if (questions && only)
    throw new AttuneError("usage", "knowledge-graph: got questions and kinds, expected one of them");
  const graph = triples ? createGraph(triples, inverses && { inverses }) : countryGraph();
  const tasks = questions
    ? givenTasks(graph, questions)
    : drawnTasks(graph, { only, wording: wording ?? (triples ? {} : countryWording), own: !!triples });
  const solvable = !questions || questions.every(({ find }) => find);
  return defineEnvironment<KnowledgeGraphInput>({
    name: "knowledge-graph",
    description: "Multi-hop questions over a graph of facts, composed from seven tools.",
    tasks,
    start({ input }) {
      const variables = createVariables(graph, { mostEntities });
      const { question, entities } = input;
      const start = entities.length > 0 ? `\nEntities: [${entities.join(", ")}]` : "";
      return {
        messages: [
          { role: "system", content: system },
          { role: "user", content: `${question}${start}` },
        ],
        tools: graphTools(variables),
        outcome: () => ({ variables: variables.all as unknown as Json }),
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isExactSet(context) ? 1 : 0) },
      f1: setF1(),
      format: format(),
      toolFailures: toolFailures(),
      toolUse: toolUse({ isCorrect: isExactSet }),
    },
    limits: { turns: steps + 1, toolCalls: steps },
    ...(solvable && {
      experts: { careful: (task: Task) => play(task, "careful"), hasty: (task: Task) => play(task, "hasty") },
    }),
  });
}

let countries: Graph | undefined;
/** Indexed once, read by every session. */
function countryGraph(): Graph {
  countries ??= createGraph(countryTriples(), { inverses: countryInverses });
  return countries;
}

/** A stream over the kinds that were named, or over those that a graph of the user's own has. */
function drawnTasks(
  graph: Graph,
  { only, wording, own }: { only: readonly string[] | undefined; wording: Wording; own: boolean },
) {
  const kinds = questionKinds(graph, wording);
  const named =
    only ?? questionKindNames.filter((name) => !own || canDraw(() => kinds[name]!(createRandom(1))));
  const asked = pickKinds(kinds, { only: named, environment: "knowledge-graph" });
  return (query: { split: "train" | "test"; seed: number }) =>
    taskStream({ environment: "knowledge-graph", kinds: asked, salt: "knowledge-graph-1", ...query });
}

function canDraw(draw: () => unknown): boolean {
  try {
    draw();
    return true;
  } catch (error) {
    if (error instanceof AttuneError) return false;
    throw error;
  }
}

/** Careful looks before each step; hasty leaves the last call out and answers with what came before it. */
function play(task: Task, style: "careful" | "hasty") {
  const { find } = task.input as KnowledgeGraphInput;
  const calls = callsOf(find!, { looking: true });
  const last = style === "hasty" && calls.length > 1 ? calls.length - 1 : calls.length;
  return scripted((observations): Move => {
    const call = calls[observations.length];
    if (observations.length < last && call) return { thought: thoughtOf(call.arguments, call.name), call };
    const made = observations.flatMap((text) => /^Variable (#\d+)/.exec(text)?.[1] ?? []);
    return { answer: made.at(-1) ?? "#0" };
  });
}

function thoughtOf(given: Readonly<Record<string, string>>, name: string): string {
  switch (name) {
    case "get_relations":
      return `What leads on from ${given["variable"]}?`;
    case "get_attributes":
      return `What can ${given["variable"]} be ranked by?`;
    case "get_neighbors":
      return `Follow ${given["relation"]}.`;
    case "intersection":
      return `Keep what is in both ${given["variable1"]} and ${given["variable2"]}.`;
    case "count":
      return `Count ${given["variable"]}.`;
    default:
      return `Pick by ${given["attribute"]}.`;
  }
}
