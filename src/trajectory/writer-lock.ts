import { DatabaseSync } from "node:sqlite";
import { AttuneError } from "../spec/error.ts";

const busy = 5;

/**
 * Makes this the only writer of a folder, until the lock is given back or the process ends in whatever way: it is
 * the operating system's lock on an empty SQLite file, so nothing that a killed process leaves has to be judged.
 */
export function takeWriterLock(path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new AttuneError("usage", `${path}: expected to be the only writer, but another one has the lock`, {
      cause: error,
    });
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
