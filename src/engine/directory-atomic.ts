import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { AttuneError } from "../spec/error.ts";

/**
 * Writes a directory so that it is there in full or not at all: `write` fills a sibling, which is then renamed. The
 * name must be free or that of an empty directory. On failure nothing is left behind.
 */
export function writeDirectoryAtomic(directory: string, write: (partial: string) => void): void {
  const isThere = existsSync(directory);
  if (isThere && !(statSync(directory).isDirectory() && readdirSync(directory).length === 0))
    throw new AttuneError("io", `${directory}: expected a name that is free, and it exists`);
  // resolved, since the sibling of `out/` is not `out/.part`
  const target = resolve(directory);
  const partial = `${target}.part`;
  rmSync(partial, { recursive: true, force: true });
  try {
    mkdirSync(partial, { recursive: true });
    write(partial);
    if (isThere) rmdirSync(target);
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}
