import { splitOf, toTask } from "../../environment/task.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Graph } from "./graph.ts";
import { entitiesOf, evaluateQuery, type Query } from "./query.ts";
import type { KnowledgeGraphInput } from "./question-kinds.ts";

/** A question of the user's own: with its answer, or with the query that finds it. */
export type GivenQuestion = {
  question: string;
  /** Entities that the question starts from, as the graph spells them. Those of `find` when absent. */
  entities?: readonly string[];
  /** Names in the answer; for a count the number in digits. What `find` finds when absent. */
  answer?: readonly string[];
  find?: Query;
  kind?: string;
  /** Where it belongs; its text decides when absent. */
  split?: Split;
};

/**
 * Tasks over given questions, each once, in an order that the seed decides. Throws `AttuneError` (usage) for a
 * question without an answer, or about what the graph does not know.
 */
export function givenTasks(graph: Graph, questions: readonly GivenQuestion[]) {
  const tasks = questions.map((given, index) => toGivenTask(graph, given, index));
  return ({ split, seed }: { split: Split; seed: number }): Task<KnowledgeGraphInput>[] =>
    createRandom(deriveSeed(seed, "knowledge-graph", split)).shuffle(
      tasks.filter((task) => task.split === split),
    );
}

function toGivenTask(graph: Graph, given: GivenQuestion, index: number): Task<KnowledgeGraphInput> {
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `knowledge-graph: question ${index} "${given.question}": ${message}`);
  };
  const { question, find, kind = "given" } = given;
  const entities = (given.entities ?? (find ? entitiesOf(find) : [])).map(
    (name) => graph.entityNamed(name) ?? refuse(`no entity "${name}" in the triples`),
  );
  const found = find && [...evaluateQuery(graph, find)];
  const answer = [...new Set(given.answer ?? found ?? refuse("expected `answer` or `find`"))].sort();
  if (answer.length === 0) refuse("its answer is empty");
  if (given.answer && found && JSON.stringify(answer) !== JSON.stringify([...found].sort()))
    refuse(`its answer is ${JSON.stringify(answer)}, \`find\` finds ${JSON.stringify(found)}`);
  const split = given.split ?? splitOf(question, { salt: "knowledge-graph-given-1" });
  const input = { question, entities, find: find ?? null };
  return toTask({ environment: "knowledge-graph", kind, input, answer, split });
}
