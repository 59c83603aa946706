import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { type Branch, toBranches } from "./branch.ts";
import type { FormatName } from "./carries.ts";
import type { ExportOptions, Format, Part } from "./format.ts";
import { type Fields, objectAt, type Spot, wrong } from "./spot.ts";

/** Rows as lines of JSON, in pieces of some 64 KiB. */
export async function* toJsonLines(rows: AsyncIterable<JsonObject>, file = ""): AsyncGenerator<Part> {
  const enough = 64 * 1024;
  let lines: string[] = [];
  let held = 0;
  for await (const row of rows) {
    const line = `${JSON.stringify(row)}\n`;
    lines.push(line);
    held += line.length;
    if (held < enough) continue;
    yield { file, bytes: Buffer.from(lines.join("")) };
    lines = [];
    held = 0;
  }
  yield { file, bytes: Buffer.from(lines.join("")) };
}

/**
 * The objects of a JSONL file, each with the place it stands at. Unlike in a file of our own, a torn last line is
 * refused: nobody knows what of a foreign file is missing.
 */
export async function* readRows(path: string): AsyncGenerator<{ row: Fields; spot: Spot }> {
  if (!existsSync(path)) throw new AttuneError("input", `${path}: there is no such file`);
  const input = createReadStream(path);
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line++;
      if (text.trim() === "") continue;
      const spot = { file: path, line, field: "" };
      yield { row: objectAt(parsed(text, spot), spot), spot };
    }
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    throw new AttuneError("input", `${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    input.destroy();
  }
}

function parsed(text: string, spot: Spot): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(spot, "JSON", text);
  }
}

/** A format of one row to a line, from how a path becomes a row and a row a trajectory. */
export function jsonLinesFormat(format: {
  name: FormatName;
  about: string;
  toRow(branch: Branch, options: ExportOptions): JsonObject;
  fromRow(row: Fields, spot: Spot): Trajectory;
}): Format {
  const { name, about, toRow, fromRow } = format;
  async function* rows(trajectories: AsyncIterable<Trajectory>, options: ExportOptions) {
    for await (const branch of toBranches(trajectories, name, options)) yield toRow(branch, options);
  }
  return {
    name,
    about,
    output: "file",
    write: (trajectories, options = {}) => toJsonLines(rows(trajectories, options)),
    async *read(path) {
      for await (const { row, spot } of readRows(path)) yield fromRow(row, spot);
    },
  };
}
