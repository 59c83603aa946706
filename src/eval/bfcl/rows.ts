import { closeSync, openSync, readSync } from "node:fs";
import { AttuneError } from "../../spec/error.ts";
import { PythonError } from "./python/error.ts";
import { readJson } from "./python/json.ts";
import { dictGet, type PythonDict, type PythonValue, typeName } from "./python/value.ts";

/** One row of a JSON Lines file, with the place to name in an error. */
export type Row = { file: string; line: number; row: PythonDict };

/** Rows of a JSON Lines file, one at a time and without loss of numbers; a broken line is an error that names it. */
export function* readRows(file: string): Generator<Row> {
  let line = 0;
  for (const text of readLines(file)) {
    line++;
    if (text.trim() === "") continue;
    let value: PythonValue;
    try {
      value = readJson(text);
    } catch (error) {
      if (!(error instanceof PythonError)) throw error;
      throw new AttuneError("input", `${file}:${line}: not JSON: ${error.message}`, { cause: error });
    }
    if (!(value instanceof Map)) {
      throw new AttuneError("input", `${file}:${line}: got a ${typeName(value)}, expected an object`);
    }
    yield { file, line, row: value };
  }
}

/** The text under a key of a row; anything else there is an error that names file and line. */
export function textOf({ file, line, row }: Row, key: string): string {
  const value = dictGet(row, key);
  if (typeof value === "string") return value;
  throw misfit(file, line, key, value, "a text");
}

/** The list under a key of a row. */
export function listOf({ file, line, row }: Row, key: string): PythonValue[] {
  const value = dictGet(row, key);
  if (Array.isArray(value)) return value;
  throw misfit(file, line, key, value, "a list");
}

/** The list of texts under a key of a row. */
export function textsOf(row: Row, key: string): string[] {
  return listOf(row, key).map((item) => {
    if (typeof item === "string") return item;
    throw misfit(row.file, row.line, key, item, "a list of texts");
  });
}

/** The list of objects under a key of a row. */
export function dictsOf(row: Row, key: string): PythonDict[] {
  return listOf(row, key).map((item) => {
    if (item instanceof Map) return item;
    throw misfit(row.file, row.line, key, item, "a list of objects");
  });
}

export function misfit(
  file: string,
  line: number,
  key: string,
  got: PythonValue | undefined,
  expected: string,
): AttuneError {
  const what = got === undefined ? "nothing" : `a ${typeName(got)}`;
  return new AttuneError("input", `${file}:${line}: ${key}: got ${what}, expected ${expected}`);
}

const chunkBytes = 1 << 16;

function* readLines(file: string): Generator<string> {
  const handle = openFile(file);
  try {
    const chunk = Buffer.alloc(chunkBytes);
    const decoder = new TextDecoder();
    // Pieces of the line that is not whole yet, joined once: a line of many chunks stays linear.
    let pieces: string[] = [];
    for (let read = readSync(handle, chunk); read > 0; read = readSync(handle, chunk)) {
      const text = decoder.decode(chunk.subarray(0, read), { stream: true });
      let from = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
        pieces.push(text.slice(from, end));
        yield pieces.join("");
        pieces = [];
        from = end + 1;
      }
      pieces.push(text.slice(from));
    }
    yield pieces.join("") + decoder.decode();
  } finally {
    closeSync(handle);
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, "r");
  } catch (error) {
    throw new AttuneError("input", `${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
