import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file so that a reader sees the old content or the new, never a part: temporary file beside it, fsync,
 * rename. On failure (disk full) nothing is left behind.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array | Iterable<Uint8Array>): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.part`);
  try {
    const file = openSync(temporary, "wx");
    try {
      const chunks =
        typeof content === "string"
          ? [Buffer.from(content)]
          : content instanceof Uint8Array
            ? [content]
            : content;
      for (const chunk of chunks) {
        let written = 0;
        while (written < chunk.byteLength) written += writeSync(file, chunk, written);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
