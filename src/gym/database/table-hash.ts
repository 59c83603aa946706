import { createHash } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { toCell } from "./guarded-database.ts";

/**
 * One hash for every table: of its columns and of its rows' hashes in sorted order, so that the order in which rows
 * were written does not count (after AgentBench's table hash, which keeps five characters of each row's MD5; these
 * are whole SHA-256). Numbers are compared to nine decimals.
 */
export function hashTables(database: DatabaseSync): Record<string, string> {
  const names = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all()
    .map(({ name }) => String(name))
    .sort();
  return Object.fromEntries(names.map((name) => [name, hashTable(database, name)]));
}

function hashTable(database: DatabaseSync, name: string): string {
  const statement = database.prepare(`SELECT * FROM "${name.replaceAll('"', '""')}"`);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name: column }) => column);
  const rows: string[] = [];
  for (const row of statement.iterate() as unknown as Iterable<SQLOutputValue[]>)
    rows.push(sha256(JSON.stringify(row.map(toComparable))));
  return sha256(JSON.stringify([columns, rows.sort()]));
}

function toComparable(value: SQLOutputValue) {
  const cell = toCell(value);
  return typeof cell === "number" ? Number(cell.toFixed(9)) : cell;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
