import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";

export type JsonLine = { line: number; value: unknown };

/**
 * Reads a JSONL file line by line without holding it. A last line that a crash has torn is skipped; any other
 * line that is not JSON throws with its number.
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  if (!existsSync(path)) return;
  let line = 0;
  let broken: { line: number; error: unknown } | undefined;
  for await (const text of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    line++;
    if (text.trim() === "") continue;
    if (broken) throw new Error(`${path}:${broken.line}: not JSON`, { cause: broken.error });
    try {
      yield { line, value: JSON.parse(text) };
    } catch (error) {
      broken = { line, error };
    }
  }
}
