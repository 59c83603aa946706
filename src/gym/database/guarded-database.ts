import { constants, DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { showTable } from "./result-table.ts";
import type { Base, StatementLimits } from "./wire.ts";

export type Cell = string | number | null;

/** A database in memory that a statement can neither leave nor fill up. */
export interface GuardedDatabase {
  /** Runs one statement and shows what came of it. Throws what SQLite says, or `SqlRefusal`. */
  run(sql: string): string;
  /** Cells of the first rows of one statement. */
  cells(sql: string): Cell[][];
  /** Whether the statement before could have changed anything, failed or not. */
  wrote(): boolean;
  bytes(): number;
  raw: DatabaseSync;
}

export class SqlRefusal extends Error {}

const reading = new Set([constants.SQLITE_SELECT, constants.SQLITE_READ, constants.SQLITE_RECURSIVE]);
const writing = new Set([
  constants.SQLITE_INSERT,
  constants.SQLITE_UPDATE,
  constants.SQLITE_DELETE,
  constants.SQLITE_CREATE_TABLE,
  constants.SQLITE_DROP_TABLE,
  constants.SQLITE_ALTER_TABLE,
  constants.SQLITE_CREATE_INDEX,
  constants.SQLITE_DROP_INDEX,
  constants.SQLITE_CREATE_VIEW,
  constants.SQLITE_DROP_VIEW,
  // CREATE INDEX on a table with rows asks for it
  constants.SQLITE_REINDEX,
]);
const readingPragmas = new Set([
  "table_info",
  "table_xinfo",
  "table_list",
  "index_list",
  "index_info",
  "foreign_key_list",
]);
/** What reaches outside, or would not come out the same when the statements are run again. */
const refusedFunctions =
  /^(?:load_extension|readfile|writefile|edit|fts3_tokenizer|random|randomblob|current_(?:date|time|timestamp)|sqlite_.*)$/i;
/** Statements that no authorizer is asked about (VACUUM INTO writes a file) are none of these. */
const allowedStart =
  /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*\(?(?:select|with|values|insert|replace|update|delete|create|drop|alter|pragma|explain)\b/i;

/** Opens a private copy of a base. */
export function openGuarded(base: Base, limits: StatementLimits): GuardedDatabase {
  const database = new DatabaseSync(":memory:", { allowExtension: false, defensive: true });
  if ("script" in base) database.exec(base.script);
  else database.deserialize(base.bytes);
  Object.assign(database.limits, {
    length: 1_000_000,
    sqlLength: 20_000,
    attach: 0,
    compoundSelect: 50,
    exprDepth: 100,
    likePatternLength: 1000,
    functionArg: 50,
  });
  const numberOf = (pragma: string) =>
    Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() as Record<string, SQLOutputValue>)[0]);
  const pageBytes = numberOf("page_size");
  const bytes = () => numberOf("page_count") * pageBytes;
  // sorting and temporary trees stay in memory, which the process's heap limit bounds
  database.exec("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;");
  numberOf(`max_page_count = ${numberOf("page_count") + Math.ceil(limits.grownBytes / pageBytes)}`);

  let wrote = false;
  const authorize = (action: number, first: string | null, second: string | null) => {
    if (reading.has(action)) return constants.SQLITE_OK;
    if (action === constants.SQLITE_FUNCTION)
      return refusedFunctions.test(second ?? "") ? constants.SQLITE_DENY : constants.SQLITE_OK;
    if (action === constants.SQLITE_PRAGMA)
      return readingPragmas.has((first ?? "").toLowerCase()) ? constants.SQLITE_OK : constants.SQLITE_DENY;
    if (!writing.has(action)) return constants.SQLITE_DENY;
    wrote = true;
    return constants.SQLITE_OK;
  };

  const prepare = (sql: string) => {
    wrote = false;
    if (!allowedStart.test(sql))
      throw new SqlRefusal("expected one SELECT, INSERT, UPDATE, DELETE, CREATE, DROP or ALTER statement");
    const statement = database.prepare(sql);
    if (!isBlank(sql.slice(statement.sourceSQL.length)))
      throw new SqlRefusal("expected one statement a call");
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement;
  };
  const guarded = <Result>(work: () => Result): Result => {
    database.setAuthorizer(authorize);
    try {
      return work();
    } finally {
      database.setAuthorizer(null);
    }
  };
  const firstRows = (statement: ReturnType<typeof prepare>) => {
    const rows: Cell[][] = [];
    for (const row of statement.iterate() as unknown as Iterable<SQLOutputValue[]>)
      if (rows.push(row.map(toCell)) > limits.rows) break;
    return rows;
  };

  return {
    run: (sql) =>
      guarded(() => {
        const statement = prepare(sql);
        const columns = statement.columns().map(({ name }) => name);
        if (columns.length > 0) return showTable(columns, firstRows(statement), limits);
        const { changes } = statement.run();
        const count = /^\s*(?:create|drop|alter)\b/i.test(sql) ? 0 : Number(changes);
        return count === 0 ? "ok" : `ok, ${count} ${count === 1 ? "row" : "rows"} changed`;
      }),
    cells: (sql) =>
      guarded(() => {
        const statement = prepare(sql);
        if (statement.columns().length > 0) return firstRows(statement);
        statement.run();
        return [];
      }),
    wrote: () => wrote,
    bytes,
    raw: database,
  };
}

const isBlank = (rest: string) => /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*$/.test(rest);

export function toCell(value: SQLOutputValue): Cell {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString("hex")}'` : value;
}
