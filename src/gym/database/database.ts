import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, type TaskKind, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import { toolFailures } from "../../reward/components.ts";
import type { Environment, GradeContext, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { ToolError } from "../../spec/tool.ts";
import { type GivenFile, givenTasks, readGivenFile } from "./given-files.ts";
import { type DatabaseAnswer, findGold, sameTables } from "./gold.ts";
import { fillIn, type QuestionKind, readingKinds, writingKinds } from "./question-kinds.ts";
import { readTable } from "./result-table.ts";
import { sameValues } from "./same-values.ts";
import { createWorld, schemas } from "./schemas.ts";
import { openSqlSession } from "./sql-host.ts";
import type { Base } from "./wire.ts";

export type DatabaseOptions = {
  /** Families of generated questions: lookup, count, total, group, join, top; insert, update, delete, move, follow. */
  kinds?: readonly string[];
  /** SQLite files with questions about them, asked instead of generated ones. */
  files?: readonly GivenFile[];
  /** Whether the first message tells the tables and their columns. */
  showSchema?: boolean;
  /** Milliseconds that one statement may take. */
  statementMs?: number;
  /** Rows and characters of a result that are shown. */
  rows?: number;
  characters?: number;
};

/** Where the database comes from: a generated world, or a given file by its name and its content's hash. */
export type DatabaseSource = { schema: string; seed: number } | { file: string; key: string };
/** `plan` is a right solution; `#` in a statement is the first value of the one before. */
export type DatabaseInput = { question: string; source: DatabaseSource; plan: string[] };
/** What was committed, and the hashes of the tables where the question asks for a change. */
export type DatabaseOutcome = { committed: string[] | null; tables: Record<string, string> | null };

const query = z.object({ query: z.string().describe("one SQLite statement") });
const commit = z.object({
  answers: z
    .array(z.union([z.string(), z.number(), z.null()]))
    .describe("the values that answer the question"),
});

/**
 * Questions answered and changes made with SQL, after AgentBench's DB task (arXiv 2308.03688) with the tools of its
 * function-calling edition. Questions are graded on the committed values, changes on the tables that are left.
 */
export function database({
  kinds: only,
  files,
  showSchema = true,
  statementMs = 2000,
  rows = 50,
  characters = 4000,
}: DatabaseOptions = {}): Environment {
  for (const [name, value] of Object.entries({ statementMs, rows, characters }))
    if (!(Number.isInteger(value) && value > 0))
      throw new AttuneError("usage", `database: expected ${name} to be a whole number above 0, got ${value}`);
  if (files && only) throw new AttuneError("usage", "database: got files and kinds, expected one of them");
  if (files?.length === 0) throw new AttuneError("usage", "database: got no file in files");
  const asked = pickKinds(kinds, { only: only ?? Object.keys(kinds), environment: "database" });
  const given = files?.map(readGivenFile);
  const settings = { timeMs: statementMs, limits: { rows, characters, grownBytes: 8 * 2 ** 20 } };

  const baseOf = (source: DatabaseSource): { base: Base; description: string } => {
    if ("schema" in source) {
      const { script, description } = createWorld(source.schema, source.seed);
      return { base: { key: `${source.schema} ${source.seed}`, script }, description };
    }
    const found = given?.find(({ base }) => base.key === source.key);
    if (found) return found;
    throw new AttuneError("environment", `database: ${source.file} is not given, or not what it was`);
  };

  return defineEnvironment<DatabaseInput>({
    name: "database",
    description: "Answer questions about a database, and change it, with SQL.",
    tasks: given
      ? givenTasks(given)
      : ({ split, seed }) =>
          taskStream({ environment: "database", kinds: asked, salt: "database-1", split, seed }),
    start(task) {
      const { base, description } = baseOf(task.input.source);
      const session = openSqlSession(base, settings);
      let committed: string[] | null = null;
      const refuseLate = () => {
        if (committed) throw new ToolError("the final answer is committed already");
      };
      return {
        messages: [
          { role: "system", content: instructions },
          {
            role: "user",
            content: showSchema ? `${task.input.question}\n\nTables:\n${description}` : task.input.question,
          },
        ],
        tools: [
          tool({
            name: "execute_sql",
            description: "Runs one SQLite statement and returns its rows, or how many it changed.",
            input: query,
            execute({ query: sql }, { signal }) {
              refuseLate();
              return session.run(sql, { signal });
            },
          }),
          tool({
            name: "commit_final_answer",
            description:
              "Commits the values that answer the question, one entry each, and ends the task. A change needs no values.",
            input: commit,
            execute({ answers }) {
              refuseLate();
              committed = answers.map(String);
              return "committed";
            },
          }),
        ],
        ended: () => committed !== null,
        outcome: async (): Promise<DatabaseOutcome> => ({
          committed,
          tables: committed && "tables" in (task.answer as DatabaseAnswer) ? await session.hashes() : null,
        }),
        close: session.close,
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isCorrect(context) ? 1 : 0) },
      committed: { weight: 0, grade: ({ outcome }) => ((outcome as DatabaseOutcome)?.committed ? 1 : 0) },
      statements: {
        weight: 0,
        grade: ({ calls }) => calls.filter(({ name }) => name === "execute_sql").length,
      },
      failures: toolFailures(),
    },
    experts: { careful: (task) => play(task, "careful"), hasty: (task) => play(task, "hasty") },
    limits: { turns: 15, toolCalls: 30, toolTimeoutMs: 60_000 },
  });
}

const instructions =
  "You answer a question about a SQLite database, or change it as asked. Call execute_sql with one statement at a time to look at the tables and to change them. When you are done, call commit_final_answer with the values that answer the question, one entry for each value and nothing else (an empty list for a change). You have 15 turns.";

function isCorrect({ task, status, outcome }: GradeContext): boolean {
  const { committed, tables } = (outcome ?? { committed: null, tables: null }) as DatabaseOutcome;
  if (status !== "completed" || committed === null) return false;
  const expected = task.answer as DatabaseAnswer;
  if ("values" in expected) return sameValues(committed, expected.values, expected);
  return tables !== null && sameTables(tables, expected.tables);
}

/** Careful runs the whole plan, then commits; hasty leaves the last statement out and guesses. */
function play(task: Task, style: "careful" | "hasty") {
  const { plan } = task.input as DatabaseInput;
  const expected = task.answer as DatabaseAnswer;
  const last = style === "hasty" ? plan.length - 1 : plan.length;
  const commitAnswer = (answers: string[]): Move => ({
    thought: "commit",
    call: { name: "commit_final_answer", arguments: { answers } },
  });
  return scripted((observations): Move => {
    const done = observations.length;
    const seen = done === 0 ? [] : readTable(observations.at(-1)!);
    if (done > last) return { answer: "done" };
    if (done < last) {
      const change = /^\s*(?:insert|update|delete)/i.test(plan[done]!);
      const sql = fillIn(plan[done]!, seen[0]?.[0]);
      return {
        thought: change ? "change" : "look",
        call: { name: "execute_sql", arguments: { query: sql } },
      };
    }
    if ("tables" in expected) return commitAnswer([]);
    if (style === "hasty") return commitAnswer(["unknown"]);
    // a given answer may come without statements that find it
    return commitAnswer(plan.length === 0 ? expected.values.map(String) : seen.map(([value]) => value!));
  });
}

const worldSeeds = 2 ** 20;

function toKind(draw: QuestionKind, { writes }: { writes: boolean }): TaskKind<DatabaseInput> {
  return (random) => {
    for (;;) {
      const source = { schema: random.pick(Object.keys(schemas)), seed: random.integer(worldSeeds) };
      const world = createWorld(source.schema, source.seed);
      const { question, plan, ordered = false, parts } = draw(random, world);
      const base: Base = { key: `${source.schema} ${source.seed}`, script: world.script };
      const answer = findGold(base, { plan, ordered, writes });
      if ("tables" in answer ? !answer.changed : answer.values.length === 0) continue;
      return { input: { question, source, plan }, answer, key: `${source.schema} ${parts}` };
    }
  };
}

const kinds: Record<string, TaskKind<DatabaseInput>> = Object.fromEntries([
  ...Object.entries(readingKinds).map(([name, draw]) => [name, toKind(draw, { writes: false })] as const),
  ...Object.entries(writingKinds).map(([name, draw]) => [name, toKind(draw, { writes: true })] as const),
]);
