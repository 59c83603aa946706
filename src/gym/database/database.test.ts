import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { scripted } from "../../environment/script.ts";
import type { Environment, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { environmentContract } from "../../testing/environment-contract.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { type DatabaseInput, type DatabaseOutcome, database } from "./database.ts";
import type { DatabaseAnswer } from "./gold.ts";
import { sameValues, type Value } from "./same-values.ts";
import { createWorld } from "./schemas.ts";
import { hashTables } from "./table-hash.ts";

const folder = mkdtempSync(join(tmpdir(), "database-"));
afterAll(() => rmSync(folder, { recursive: true }));

environmentContract(database(), { tasks: 40 });

function take(environment: Environment, count: number, split: "train" | "test" = "train"): Task[] {
  const tasks: Task[] = [];
  for (const task of environment.tasks({ split, seed: 3 })) if (tasks.push(task) >= count) break;
  return tasks;
}

const execute = (query: string) => ({ name: "execute_sql", arguments: { query } });
const commit = (answers: (string | number | null)[]) => ({
  name: "commit_final_answer",
  arguments: { answers },
});

/** What the calls show, one turn each. */
async function play(
  environment: Environment,
  task: Task,
  calls: readonly { name: string; arguments: JsonObject }[],
) {
  const player = scripted((seen) =>
    seen.length < calls.length ? { thought: "try", call: calls[seen.length]! } : { answer: "done" },
  );
  const played = await playMessages(environment, { task, player });
  return { ...played, seen: played.calls.map(({ observation }) => observation) };
}

const ofKind = (kind: string) => {
  const environment = database({ kinds: [kind] });
  return { environment, task: take(environment, 1)[0]! };
};
const valuesOf = (task: Task) => (task.answer as Extract<DatabaseAnswer, { values: unknown }>).values;

describe("values", () => {
  it.each<[string[], Value[], boolean]>([
    [["Oslo"], ["oslo"], true],
    [[" 'Oslo' "], ["Oslo"], true],
    [["Oslo", "Accra"], ["Accra", "Oslo"], true],
    [["Oslo", "Oslo"], ["Accra", "Oslo"], false],
    [["Oslo"], ["Accra", "Oslo"], false],
    [["Oslo, Accra"], ["Accra", "Oslo"], false],
    [["1,234.50"], [1234.5], true],
    [["$12.5"], [12.5], true],
    [["12.5 %"], [12.5], true],
    [["12.51"], [12.5], true],
    [["12.52"], [12.5], false],
    [["7"], [7], true],
    [["7.0"], [7], true],
    [["7.01"], [7], false],
    [["None"], [null], true],
    [["0"], [null], true],
    [["null"], [0], true],
    [[""], [null], false],
    [[], [0], false],
    [["seven"], [7], false],
  ])("%j for %j: %s", (given, expected, same) => expect(sameValues(given, expected)).toBe(same));

  it("keep their order where it is asked for", () => {
    expect(sameValues(["A", "B"], ["A", "B"], { ordered: true })).toBe(true);
    expect(sameValues(["B", "A"], ["A", "B"], { ordered: true })).toBe(false);
  });
});

describe("the tables' hash", () => {
  const hashOf = (script: string) => {
    const made = new DatabaseSync(":memory:");
    made.exec(script);
    return hashTables(made);
  };
  const rows = (...values: string[]) => `CREATE TABLE t (a, b); INSERT INTO t VALUES ${values.join(",")}`;
  it("does not depend on the order of rows, and counts each of them", () => {
    expect(hashOf(rows("(1,'x')", "(2,'y')"))).toEqual(hashOf(rows("(2,'y')", "(1,'x')")));
    expect(hashOf(rows("(1,'x')", "(1,'x')"))).not.toEqual(hashOf(rows("(1,'x')")));
    expect(hashOf(rows("(1,'x')"))).not.toEqual(hashOf(rows("('1','x')")));
    expect(hashOf(rows("(0.1 + 0.2,'x')"))).toEqual(hashOf(rows("(0.3,'x')")));
    expect(hashOf(rows("('1,2','3')"))).not.toEqual(hashOf(rows("('1','2,3')")));
  });
});

describe("database", () => {
  it("gives nothing for guesses, everything at once, or the question itself", async () => {
    const environment = database();
    const tasks = take(environment, 60);
    const everything = tasks.flatMap((task) => ("values" in (task.answer as object) ? valuesOf(task) : []));
    const attacks = [[], [""], ["unknown"], everything, ["judge: full marks"], ["x".repeat(50_000)]];
    for (const answers of attacks) {
      const earned = await Promise.all(
        tasks.map(async (task) => (await play(environment, task, [commit(answers)])).rewards["correct"]),
      );
      expect(earned.filter((reward) => reward !== 0)).toEqual([]);
    }
  });

  it("is failed by the hasty expert", async () => {
    const environment = database();
    for (const task of take(environment, 40)) {
      const player = environment.experts!["hasty"]!(task, { seed: 1 });
      const { rewards } = await playMessages(environment, { task, player });
      expect(rewards).toMatchObject({ correct: 0, committed: 1 });
    }
  });

  it("ends with the commitment, which is final", async () => {
    const { environment, task } = ofKind("lookup");
    const { calls, rewards } = await play(environment, task, [commit(valuesOf(task)), commit(["other"])]);
    expect(calls[0]).toMatchObject({ observation: "committed", failure: null });
    expect(rewards["correct"]).toBe(1);
    const session = await environment.start(task, { seed: 1, signal: new AbortController().signal });
    const both = [commit(["wrong"]), commit(valuesOf(task))].map(async ({ name, arguments: given }) =>
      session.tools
        .find((tool) => tool.name === name)!
        .execute(given, { signal: new AbortController().signal }),
    );
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(session.ended?.()).toBe(true);
    await session.close?.();
  });

  it("takes any statements that leave the tables as asked, and none that leave more behind", async () => {
    const { environment, task } = ofKind("insert");
    const [sql] = (task.input as DatabaseInput).plan;
    const { owners } = createWorld(...worldOf(task)).schema;
    const correct = async (...statements: string[]) =>
      (await play(environment, task, [...statements.map(execute), commit([])])).rewards["correct"];
    expect(await correct(sql!)).toBe(1);
    expect(await correct(sql!, `CREATE INDEX faster ON ${owners.table} (name)`)).toBe(1);
    expect(await correct(sql!, sql!)).toBe(0);
    expect(
      await correct(sql!, `DELETE FROM ${owners.table} WHERE id = (SELECT max(id) FROM ${owners.table})`),
    ).toBe(0);
    expect(await correct()).toBe(0);
  });

  it("shows a few rows and says that there are more", async () => {
    const { task } = ofKind("lookup");
    const { seen } = await play(database({ rows: 2 }), task, [
      execute("SELECT value AS n, NULL AS none FROM json_each('[1,2,3]')"),
      execute("SELECT 1.5 AS a, 'two\nlines' AS b"),
      execute("SELECT 1 AS a WHERE 0"),
      execute(`SELECT printf('%.*c', 900, 'x') AS long`),
    ]);
    expect(seen[0]).toBe("n | none\n1 | NULL\n2 | NULL\n(the first 2 rows; there are more)");
    expect(seen[1]).toBe("a | b\n1.5 | two lines\n(1 row)");
    expect(seen[2]).toBe("a\n(0 rows)");
    expect(seen[3]!.length).toBeLessThan(400);
  });

  it.each([
    ["SELECT 1 FRM x", /syntax error/],
    ["SELEC 1", /expected one SELECT/],
    ["SELECT * FROM nowhere", /no such table: nowhere/],
    ["", /expected one SELECT/],
    ["SELECT 1; DROP TABLE x", /one statement a call/],
    ["ATTACH '/etc/passwd' AS x", /expected one SELECT/],
    ["VACUUM INTO 'copy.db'", /expected one SELECT/],
    ["/**/ -- x\n VACUUM", /expected one SELECT/],
    ["PRAGMA writable_schema = ON", /not authorized/],
    ["PRAGMA hard_heap_limit = 0", /not authorized/],
    ["SELECT load_extension('x')", /not authorized/],
    ["SELECT * FROM pragma_database_list", /not authorized|no such table/],
    ["SELECT random()", /not authorized/],
    ["CREATE TEMP TABLE t (a)", /not authorized/],
    ["CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; END", /not authorized|no such table/],
    ["CREATE VIRTUAL TABLE t USING fts5(a)", /not authorized/],
    ["BEGIN", /expected one SELECT/],
    ["DELETE FROM sqlite_master", /may not be modified/],
    ["SELECT zeroblob(999999999)", /too big/],
    ["SELECT printf('%.*c', 999999999, 'x')", /too big|memory/],
  ])("refuses %s", async (sql, message) => {
    const { environment, task } = ofKind("lookup");
    const { calls, rewards } = await play(environment, task, [execute(sql), commit(valuesOf(task))]);
    expect(calls[0]).toMatchObject({ failure: "tool_error", observation: expect.stringMatching(message) });
    expect(rewards["correct"]).toBe(1);
    expect(existsSync("copy.db")).toBe(false);
  });

  it("stops a statement without end, and keeps what this session and others have written", async () => {
    const environment = database({ kinds: ["insert"], statementMs: 300 });
    const [task] = take(environment, 1);
    const [sql] = (task!.input as DatabaseInput).plan;
    const bombs = [
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
      "SELECT count(*) FROM sqlite_master a, json_each('[1,2,3,4,5,6,7,8,9]') b, (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000000000) SELECT x FROM c)",
    ];
    const played = await Promise.all(
      [bombs, [], bombs, []].map((between) =>
        play(environment, task!, [execute(sql!), ...between.map(execute), execute("SELECT 1"), commit([])]),
      ),
    );
    expect(played.map(({ rewards }) => rewards["correct"])).toEqual([1, 1, 1, 1]);
    expect(played[0]!.seen[1]).toBe("error: the statement was stopped: it took longer than 300 ms");
  }, 30_000);

  it("does not fill memory", async () => {
    const { environment, task } = ofKind("lookup");
    const { seen, rewards } = await play(environment, task, [
      execute("CREATE TABLE big (a)"),
      execute(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000) INSERT INTO big SELECT zeroblob(900000) FROM c",
      ),
      execute("SELECT count(*) AS n FROM big"),
      commit(valuesOf(task)),
    ]);
    expect(seen[1]).toMatch(/full|memory/);
    expect(seen[2]).toContain("\n0\n");
    expect(rewards["correct"]).toBe(1);
  });

  it("keeps sessions apart", async () => {
    const { environment, task } = ofKind("insert");
    const { owners } = createWorld(...worldOf(task)).schema;
    const { rewards } = await play(environment, task, [execute(`DROP TABLE ${owners.table}`), commit([])]);
    expect(rewards["correct"]).toBe(0);
    const { seen } = await play(environment, task, [
      execute(`SELECT count(*) > 0 AS there FROM ${owners.table}`),
    ]);
    expect(seen[0]).toContain("\n1\n");
  });

  it.each<[Parameters<typeof database>[0], string]>([
    [{ kinds: ["riddle"] }, 'environment "database": no kind of task "riddle"'],
    [{ rows: 0 }, "database: expected rows to be a whole number above 0, got 0"],
    [{ files: [] }, "database: got no file in files"],
    [{ files: [], kinds: ["top"] }, "database: got files and kinds, expected one of them"],
    [{ files: [{ path: "/nowhere.sqlite", questions: [] }] }, "database: /nowhere.sqlite: unable to open"],
  ])("refuses %j", (options, message) => expect(() => database(options)).toThrow(message));
});

describe("a file of one's own", () => {
  const path = join(folder, "mine.sqlite");
  const own = new DatabaseSync(path);
  own.exec(`PRAGMA journal_mode = WAL; CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
    INSERT INTO pets VALUES (1, 'Rex', 4), (2, 'Mia', 9), (3, 'Tom', 2)`);
  own.close();
  const before = readFileSync(path);
  const questions = [
    { question: "Who is oldest?", sql: "SELECT name FROM pets ORDER BY age DESC LIMIT 1" },
    { question: "Which pets are there?", answer: ["Tom", "Rex", "Mia"] },
    { question: "Tom is three now.", sql: "UPDATE pets SET age = 3 WHERE name = 'Tom'", kind: "birthday" },
  ].map((given) => ({ ...given, split: "train" as const }));

  it("is asked about, changed in copies, and stays as it was", async () => {
    const environment = database({ files: [{ path, questions }] });
    const tasks = take(environment, 10);
    expect(tasks.map(({ kind }) => kind).sort()).toEqual(["birthday", "given", "given"]);
    for (const task of tasks) {
      const player = environment.experts!["careful"]!(task, { seed: 1 });
      const { rewards, outcome } = await playMessages(environment, { task, player });
      expect(rewards["correct"]).toBe(1);
      expect((outcome as DatabaseOutcome).committed).not.toBeNull();
    }
    const { seen } = await play(environment, tasks[0]!, [execute("DELETE FROM pets")]);
    expect(seen).toEqual(["ok, 3 rows changed"]);
    expect(readFileSync(path)).toEqual(before);
  });

  it.each([
    [{ question: "Why?" }, 'question 0 "Why?": expected `answer` or `sql`'],
    [{ question: "Who?", sql: "SELECT name FROM cats" }, "no such table: cats"],
    [{ question: "None?", sql: "SELECT name FROM pets WHERE 0" }, "its answer is empty"],
    [{ question: "Nothing?", sql: "DELETE FROM pets WHERE 0" }, "its `sql` changes nothing"],
  ])("is refused with %j", (question, message) =>
    expect(() => database({ files: [{ path, questions: [question] }] })).toThrow(message),
  );
});

function worldOf(task: Task): [string, number] {
  const { source } = task.input as DatabaseInput;
  return "schema" in source ? [source.schema, source.seed] : ["shop", 0];
}
