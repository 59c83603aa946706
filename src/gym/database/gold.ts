import type { Cell } from "./guarded-database.ts";
import { openGuarded } from "./guarded-database.ts";
import { fillIn } from "./question-kinds.ts";
import { hashTables } from "./table-hash.ts";
import type { Base, StatementLimits } from "./wire.ts";

/** What is right: values, or the hashes of all tables as they must be left. */
export type DatabaseAnswer =
  | { values: Cell[]; ordered: boolean }
  | { tables: Record<string, string>; changed: boolean };

const goldLimits: StatementLimits = { rows: 1000, characters: 1_000_000, grownBytes: 64 * 2 ** 20 };

/** Runs the statements of a right solution on a copy. Throws what SQLite says where they cannot be run. */
export function findGold(
  base: Base,
  { plan, ordered = false, writes }: { plan: readonly string[]; ordered?: boolean; writes: boolean },
): DatabaseAnswer {
  const database = openGuarded(base, goldLimits);
  try {
    const before = writes ? hashTables(database.raw) : {};
    let rows: Cell[][] = [];
    for (const sql of plan) rows = database.cells(fillIn(sql, rows[0] && String(rows[0][0])));
    if (!writes) return { values: rows.map((row) => row[0] ?? null), ordered };
    const tables = hashTables(database.raw);
    return { tables, changed: !sameTables(before, tables) };
  } finally {
    database.raw.close();
  }
}

export function sameTables(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
