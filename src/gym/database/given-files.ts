import { createHash } from "node:crypto";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { splitOf, toTask } from "../../environment/task.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import type { Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { DatabaseInput } from "./database.ts";
import { type DatabaseAnswer, findGold } from "./gold.ts";
import type { Base } from "./wire.ts";

/** A SQLite file of the user's own. It is read once, when the environment is made, and never written. */
export type GivenFile = { path: string; questions: readonly GivenQuestion[] };

/** A question with its answer, or with the statements that find it or make the change. */
export type GivenQuestion = {
  question: string;
  /** Values that answer it; what the last of `sql` gives in its first column when absent. */
  answer?: readonly (string | number | null)[];
  /** One statement or several; in a later one `#` is the first value of the one before. */
  sql?: string | readonly string[];
  /** `write` is graded on the tables that are left; absent, it is what the first word of the last statement says. */
  type?: "read" | "write";
  /** Whether the values must come in their order. */
  ordered?: boolean;
  kind?: string;
  /** Where it belongs; its text decides when absent. */
  split?: Split;
};

export type GivenDatabase = { base: Base; description: string; tasks: Task<DatabaseInput>[] };

const mostBytes = 64 * 2 ** 20;

/** Throws `AttuneError` for a file that is no database, and for a question without a right answer. */
export function readGivenFile({ path, questions }: GivenFile, index: number): GivenDatabase {
  const { bytes, description } = readDatabase(path);
  const key = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const base: Base = { key, bytes };
  if (questions.length === 0)
    throw new AttuneError("usage", `database: files[${index}] ${path}: expected at least one question`);
  const tasks = questions.map((given, number) => {
    try {
      return toGivenTask(given, { base, source: { file: basename(path), key } });
    } catch (error) {
      throw new AttuneError(
        "usage",
        `database: ${path}: question ${number} "${given.question}": ${(error as Error).message}`,
      );
    }
  });
  return { base, description, tasks };
}

function readDatabase(path: string): { bytes: Uint8Array; description: string } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const made = database
      .prepare("SELECT sql FROM sqlite_master WHERE type IN ('table', 'view') AND sql IS NOT NULL")
      .all();
    const bytes = database.serialize();
    if (bytes.length > mostBytes)
      throw new Error(`it has ${bytes.length} bytes, expected at most ${mostBytes}`);
    // the header's versions 2 ask for a write-ahead log, which a copy in memory has not; the copy is whole without
    bytes[18] = 1;
    bytes[19] = 1;
    return { bytes, description: made.map(({ sql }) => String(sql)).join(";\n") };
  } catch (error) {
    throw new AttuneError("input", `database: ${path}: ${(error as Error).message}`);
  } finally {
    database?.close();
  }
}

function toGivenTask(
  given: GivenQuestion,
  { base, source }: { base: Base; source: { file: string; key: string } },
): Task<DatabaseInput> {
  const { question, sql = [], ordered = false, kind = "given" } = given;
  const plan = typeof sql === "string" ? [sql] : [...sql];
  const type =
    given.type ?? (/^\s*(?:insert|update|delete|replace)\b/i.test(plan.at(-1) ?? "") ? "write" : "read");
  if (plan.length === 0 && (!given.answer || type === "write"))
    throw new Error(type === "write" ? "expected `sql`" : "expected `answer` or `sql`");
  const found = plan.length > 0 ? findGold(base, { plan, ordered, writes: type === "write" }) : undefined;
  if (found && "tables" in found && !found.changed) throw new Error("its `sql` changes nothing");
  const answer: DatabaseAnswer =
    found && "tables" in found
      ? found
      : { values: [...(given.answer ?? (found as { values: (string | number | null)[] }).values)], ordered };
  if ("values" in answer && answer.values.length === 0) throw new Error("its answer is empty");
  const split = given.split ?? splitOf(question, { salt: "database-given-1" });
  return toTask({ environment: "database", kind, input: { question, source, plan }, answer, split });
}

/** All given questions of a split, each once, in an order that the seed decides. */
export const givenTasks =
  (databases: readonly GivenDatabase[]) =>
  ({ split, seed }: { split: Split; seed: number }): Task<DatabaseInput>[] =>
    createRandom(deriveSeed(seed, "database", split)).shuffle(
      databases.flatMap(({ tasks }) => tasks.filter((task) => task.split === split)),
    );
