import { describe, expect, it } from "vitest";
import { checkEnvironment, type Play } from "../../environment/health.ts";
import { scripted } from "../../environment/script.ts";
import { toReward } from "../../reward/to-reward.ts";
import { playWithPlayer } from "../../rollout/player.ts";
import type { Environment, Split, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { toGradeContext } from "../../trajectory/grade-context.ts";
import { countryInverses, countryTriples } from "./country-triples.ts";
import { type GraphOutcome, namedVariable } from "./grade-set.ts";
import { createGraph, type Triple } from "./graph.ts";
import { type KnowledgeGraphInput, knowledgeGraph } from "./knowledge-graph.ts";
import { callsOf, evaluateQuery, phraseOf, type Query } from "./query.ts";
import { questionKindNames } from "./question-kinds.ts";
import { createVariables } from "./variables.ts";

environmentContract(knowledgeGraph(), { tasks: 60 });

const play: Play = ({ environment, task, player, seed }) =>
  playWithPlayer({
    environment,
    request: { task, step: 0, group: task.id, sample: 0, seed, sampling: { temperature: 0 } },
    player,
    playerName: "test",
    grade: (trajectory, { rewards }) => toReward(rewards, toGradeContext(trajectory)),
  });

function take(environment: Environment, count: number, split: Split = "train"): Task[] {
  const tasks: Task[] = [];
  for (const task of environment.tasks({ split, seed: 5 })) if (tasks.push(task) >= count) break;
  return tasks;
}

type Call = { name: string; arguments: JsonObject };
const neighbors = (variable: string, relation: string): Call => ({
  name: "get_neighbors",
  arguments: { variable, relation },
});

/** Films and those who made them, as a user would give them. */
const films: Triple[] = [
  ["Alma", "type", "film"],
  ["Brume", "type", "film"],
  ["Cedar", "type", "film"],
  ["Ines", "type", "person"],
  ["Jon", "type", "person"],
  ["Alma", "director", "Ines"],
  ["Brume", "director", "Ines"],
  ["Cedar", "director", "Jon"],
  ["Alma", "actor", "Jon"],
  ["Brume", "actor", "Jon"],
  ["Cedar", "actor", "Ines"],
  ["Alma", "country", "Norland"],
  ["Brume", "country", "Norland"],
  ["Cedar", "country", "Norland"],
  ["Alma", "year", 1999],
  ["Brume", "year", 2011],
  ["Cedar", "year", 2004],
];

const byInes: Query = { neighbors: { entity: "Ines" }, relation: "director_of" };

/** Asks for the films by Ines (Alma, Brume), plays the calls, and ends with the words. */
async function ask(calls: readonly Call[], words: string, find: Query = byInes) {
  const environment = knowledgeGraph({
    triples: films,
    questions: [{ question: "Which films did Ines direct?", find, split: "train" }],
  });
  const [task] = take(environment, 1);
  const player = scripted((observations) => {
    const call = calls[observations.length];
    return call ? { thought: "next", call } : { answer: words };
  });
  return play({ environment, task: task!, player, seed: 1 });
}

describe("grading", () => {
  it.each<[string, Call[], string, number, number]>([
    ["the exact set", [neighbors("Ines", "director_of")], "#0", 1, 1],
    ["a set with one too many", [neighbors("Norland", "country_of")], "#0", 0, 0.8],
    ["no variable", [], "Alma, Brume", 0, 0],
    ["a variable that is not there", [neighbors("Ines", "director_of")], "#1", 0, 0],
    [
      "the set but another number",
      [neighbors("Ines", "director_of"), neighbors("Jon", "actor_of")],
      "#1",
      1,
      1,
    ],
    ["several variables", [neighbors("Ines", "director_of")], "#0 #1 #2", 0, 0],
    ["half of it", [neighbors("Ines", "director_of"), rank("argmax", "#0")], "#1", 0, 2 / 3],
    ["another set", [neighbors("Jon", "actor_of"), neighbors("Jon", "director_of")], "#1", 0, 0],
    ["the number of them", [neighbors("Ines", "director_of"), counting("#0")], "#1", 0, 0],
  ])("gives for %s its reward and F1", async (_name, calls, words, correct, f1) => {
    const { rewards, reward } = await ask(calls, words);
    expect(reward).toBe(correct);
    expect(rewards["f1"]).toBeCloseTo(f1, 9);
  });

  it("takes a count as the set of one number", async () => {
    const { reward } = await ask([neighbors("Ines", "director_of"), counting("#0")], "#1", { count: byInes });
    expect(reward).toBe(1);
  });

  it.each<[string, number | undefined]>([
    ["<answer>#3</answer>", 3],
    ["<answer>Final Answer: #3</answer>", 3],
    ["That is it. Final Answer: #12", 12],
    ["final answer: #0.", 0],
    ["<answer>3</answer>", undefined],
    ["<answer>#1, #2</answer>", undefined],
    ["Final Answer: #1 or #2", undefined],
    ["#1", 1],
    ["Perhaps #1", undefined],
    ["#0, #1, #2, Final Answer: #0, #1", undefined],
    ["", undefined],
  ])("reads %j as variable %s", (text, number) => {
    expect(namedVariable(text)).toBe(number);
  });
});

function rank(name: "argmax" | "argmin", variable: string): Call {
  return { name, arguments: { variable, attribute: "year" } };
}

function counting(variable: string): Call {
  return { name: "count", arguments: { variable } };
}

describe("the tools", () => {
  const graph = createGraph(films);
  const fresh = () => createVariables(graph, { mostEntities: 2 });

  it("answer in AgentBench's words, and number what they make", () => {
    const variables = fresh();
    expect(variables.getRelations("Ines")).toBe("[actor_of, director_of]");
    expect(variables.getNeighbors("ines ", "director_of")).toBe("Variable #0, which are instances of film");
    expect(variables.getRelations("#0")).toBe("[actor, country, director]");
    expect(variables.getAttributes("#0")).toBe("[year]");
    expect(variables.extreme("argmax", "#0", "year")).toBe("Variable #1, which are instances of film");
    expect(variables.getNeighbors("Jon", "actor_of")).toBe("Variable #2, which are instances of film");
    expect(variables.intersection("#0", "#2")).toBe("Variable #3, which are instances of film");
    expect(variables.count("#3")).toBe("Variable #4, which is a number");
    expect(variables.getNeighbors("Jon", "director_of")).toBe("Variable #5, which are instances of film");
    expect(variables.intersection("#0", "#5")).toBe("Variable #6, which is empty");
    expect(variables.all.map(({ members }) => members)).toEqual([
      ["Alma", "Brume"],
      ["Brume"],
      ["Alma", "Brume"],
      ["Alma", "Brume"],
      ["2"],
      ["Cedar"],
      [],
    ]);
  });

  it("say what they expected", () => {
    const variables = fresh();
    const refused = (work: () => string) => {
      try {
        return work();
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
    };
    variables.getNeighbors("Ines", "director_of");
    variables.getNeighbors("Alma", "actor");
    variables.count("#0");
    expect([
      refused(() => variables.getRelations("Nobody")),
      refused(() => variables.getRelations("#7")),
      refused(() => fresh().count("#0")),
      refused(() => variables.getNeighbors("Ines", "spouse")),
      refused(() => variables.getNeighbors("#2", "director")),
      refused(() => variables.intersection("#0", "Ines")),
      refused(() => variables.intersection("#0", "#1")),
      refused(() => variables.extreme("argmin", "#0", "length")),
      refused(() => variables.count("Ines")),
      refused(() => createVariables(graph, { mostEntities: 1 }).getNeighbors("Ines", "director_of")),
    ]).toEqual([
      'ToolError: get_relations: expected a variable like #0 or an entity, got "Nobody"',
      "ToolError: get_relations: no variable #7, there are #0 to #2",
      "ToolError: count: no variable #0, there is none yet",
      'ToolError: get_neighbors: "spouse" is not a relation of Ines; it has [actor_of, director_of]',
      "ToolError: get_neighbors: #2 is a number, expected a set of entities",
      'ToolError: intersection: expected a variable like #0, got "Ines"',
      "ToolError: intersection: expected two variables of the same type, got film and person",
      'ToolError: argmin: "length" is not an attribute of #0; it has [year]',
      'ToolError: count: expected a variable like #0, got "Ines"',
      "ToolError: get_neighbors: the result has 2 entities, at most 1 are kept",
    ]);
  });

  it("keep sessions apart", async () => {
    const environment = knowledgeGraph();
    const [task] = take(environment, 1);
    const open = () => environment.start(task!, { seed: 1, signal: new AbortController().signal });
    const [one, other] = [await open(), await open()];
    const follow = one.tools.find(({ name }) => name === "get_neighbors")!;
    await follow.execute({ variable: "Peru", relation: "border" }, { signal: new AbortController().signal });
    expect(((await one.outcome!()) as unknown as GraphOutcome).variables[0]!.members).toContain("Chile");
    expect(await other.outcome!()).toEqual({ variables: [] });
  });
});

describe("queries", () => {
  const graph = createGraph(countryTriples(), { inverses: countryInverses });
  const bordering = (entity: string): Query => ({ neighbors: { entity }, relation: "border" });
  const both: Query = { intersection: [bordering("Peru"), bordering("Argentina")] };

  it("stand for sets, in words, and for the calls that find them", () => {
    expect([...evaluateQuery(graph, both)].sort()).toEqual(["Bolivia", "Brazil", "Chile"]);
    expect([...evaluateQuery(graph, { argmax: both, attribute: "area" })]).toEqual(["Brazil"]);
    expect([...evaluateQuery(graph, { argmin: both, attribute: "area" })]).toEqual(["Chile"]);
    expect([...evaluateQuery(graph, { count: both })]).toEqual(["3"]);
    expect(phraseOf({ neighbors: both, relation: "capital" }, {})).toBe(
      "the capital of any of those among both the border of Peru and the border of Argentina",
    );
    expect(callsOf({ count: both }, { looking: false })).toEqual([
      neighbors("Peru", "border"),
      neighbors("Argentina", "border"),
      { name: "intersection", arguments: { variable1: "#0", variable2: "#1" } },
      counting("#2"),
    ]);
  });

  it("know countries by facts that can be checked by hand", () => {
    const one = (entity: string, relation: string) => [...graph.neighbors([entity], relation)];
    expect(one("Bern", "capital_of")).toEqual(["Switzerland"]);
    expect(one("Belgium", "language").sort()).toEqual([
      "Dutch (language)",
      "French (language)",
      "German (language)",
    ]);
    expect(one("Luxembourg", "capital")).toEqual(["Luxembourg (city)"]);
    expect(graph.typeOf("Luxembourg (city)")).toBe("city");
    expect(one("Bolivia", "coast")).toEqual(["landlocked"]);
    expect(graph.entityNamed("turkiye")).toBe("Türkiye");
    expect(createGraph([...films, ["ALMA", "actor", "Jon"]]).entityNamed("ALMA")).toBe("ALMA");
  });

  it("are drawn with answers that were not seen on the way, and that a walk by hand finds", () => {
    for (const { input, answer, kind } of take(knowledgeGraph(), 300)) {
      const find = (input as KnowledgeGraphInput).find!;
      const variables = createVariables(graph, { mostEntities: 1000 });
      for (const { name, arguments: given } of callsOf(find, { looking: false }))
        perform(variables, name, given);
      const sets = variables.all.map(({ members }) => JSON.stringify([...members].sort()));
      expect(sets.at(-1), `${kind}: ${(input as KnowledgeGraphInput).question}`).toBe(JSON.stringify(answer));
      expect(sets.slice(0, -1)).not.toContain(sets.at(-1));
    }
  });
});

function perform(
  variables: ReturnType<typeof createVariables>,
  name: string,
  given: Record<string, string>,
): string {
  switch (name) {
    case "get_neighbors":
      return variables.getNeighbors(given["variable"]!, given["relation"]!);
    case "intersection":
      return variables.intersection(given["variable1"]!, given["variable2"]!);
    case "count":
      return variables.count(given["variable"]!);
    default:
      return variables.extreme(name as "argmax", given["variable"]!, given["attribute"]!);
  }
}

describe("the environment", () => {
  it("is healthy", async () => {
    expect(await checkEnvironment(knowledgeGraph(), { play, tasks: 60 })).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  it("stays within AgentBench's 15 calls, and is failed by the hasty in every kind", async () => {
    const environment = knowledgeGraph();
    const tasks = take(environment, 200);
    expect(new Set(tasks.map(({ kind }) => kind))).toEqual(new Set(questionKindNames));
    for (const style of ["careful", "hasty"]) {
      for (const task of tasks) {
        const player = environment.experts![style]!(task, { seed: 1 });
        const { reward, calls, rewards } = await play({ environment, task, player, seed: 1 });
        expect(reward).toBe(style === "careful" ? 1 : 0);
        expect(rewards["format"]).toBe(1);
        expect(calls.length).toBeLessThanOrEqual(10);
      }
    }
  });

  it("draws from a user's triples the kinds of question that they have", async () => {
    const environment = knowledgeGraph({ triples: films });
    const tasks = take(environment, 50);
    expect(new Set(tasks.map(({ kind }) => kind))).toContain("one-hop");
    for (const task of tasks) {
      const player = environment.experts!["careful"]!(task, { seed: 1 });
      expect((await play({ environment, task, player, seed: 1 })).reward).toBe(1);
    }
  });

  it("asks a user's questions once each, with an expert only where it is known how to find the answer", () => {
    const questions = [
      { question: "Which films did Ines direct?", find: byInes, split: "train" as const },
      { question: "Who acted in Alma?", answer: ["Jon"], entities: ["alma"], split: "train" as const },
    ];
    const environment = knowledgeGraph({ triples: films, questions });
    expect([...environment.tasks({ split: "test", seed: 1 })]).toEqual([]);
    expect([...environment.tasks({ split: "train", seed: 1 })].map(({ answer }) => answer)).toEqual(
      expect.arrayContaining([["Alma", "Brume"], ["Jon"]]),
    );
    expect(environment.experts).toBeUndefined();
    expect(knowledgeGraph({ triples: films, questions: questions.slice(0, 1) }).experts).toBeDefined();
  });

  it.each<[string, Parameters<typeof knowledgeGraph>[0], string]>([
    [
      "no triple",
      { triples: [["a", "b"] as never] },
      'triple 0: got ["a","b"], expected [subject, relation, object]',
    ],
    [
      "a number that is none",
      { triples: [["a", "b", Number.NaN]] },
      "expected an object in words, or a finite number",
    ],
    ["a name like a variable's", { triples: [["#1", "b", "c"]] }, "expected names other than # and a number"],
    [
      "an unknown entity",
      { triples: films, questions: [{ question: "q?", answer: ["Jon"], entities: ["Nobody"] }] },
      'question 0 "q?": no entity "Nobody" in the triples',
    ],
    ["no answer", { triples: films, questions: [{ question: "q?" }] }, "expected `answer` or `find`"],
    [
      "an answer that the query does not find",
      { triples: films, questions: [{ question: "q?", answer: ["Cedar"], find: byInes }] },
      'its answer is ["Cedar"], `find` finds ["Alma","Brume"]',
    ],
    ["both questions and kinds", { questions: [], kinds: ["count"] }, "expected one of them"],
    ["no steps", { steps: 0 }, "expected steps of 1 or more, got 0"],
    ["an unknown kind", { kinds: ["riddle"] }, 'no kind of task "riddle"'],
  ])("refuses %s", (_name, options, message) => {
    expect(() => knowledgeGraph(options)).toThrow(message);
  });
});
