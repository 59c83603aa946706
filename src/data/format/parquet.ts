import { existsSync } from "node:fs";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { AttuneError } from "../../spec/error.ts";
import type { Part } from "./format.ts";
import { type Fields, objectAt, type Spot } from "./spot.ts";

/** Columns of a Parquet file. A struct's fields and a list's element are columns again, so that nesting is real. */
export type Column = readonly SchemaElement[];

const optional = "OPTIONAL" as const;

export const text = (name: string): Column => [
  { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: optional },
];
export const int32 = (name: string): Column => [{ name, type: "INT32", repetition_type: optional }];
export const float = (name: string): Column => [{ name, type: "FLOAT", repetition_type: optional }];
export const double = (name: string): Column => [{ name, type: "DOUBLE", repetition_type: optional }];
export const boolean = (name: string): Column => [{ name, type: "BOOLEAN", repetition_type: optional }];
export const struct = (name: string, ...fields: Column[]): Column => [
  { name, repetition_type: optional, num_children: fields.length },
  ...fields.flat(),
];
/** A list in the three levels that the Parquet specification asks for. */
export const list = (name: string, of: (name: "element") => Column): Column => [
  { name, repetition_type: optional, num_children: 1, converted_type: "LIST" },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...of("element"),
];

/** Rows that are encoded together, and so the most that is held. */
const groupRows = 256;

export type RowWriter = { add(row: Fields): Uint8Array[]; end(): Uint8Array[] };

/** Encodes rows to Parquet as they come, a row group at a time; what is done with is given back at once. */
export function createParquetEncoder(columns: readonly Column[]): RowWriter {
  const schema = [{ name: "root", num_children: columns.length }, ...columns.flat()];
  const names = columns.map(([first]) => first!.name);
  const target = new ByteWriter(1 << 20);
  const writer = new ParquetWriter({ writer: target, schema });
  let rows: Fields[] = [];
  const taken = (): Uint8Array[] => {
    const bytes = target.getBytes().slice();
    target.index = 0;
    return bytes.length > 0 ? [bytes] : [];
  };
  const flush = () => {
    const columnData = names.map((name) => ({ name, data: rows.map((row) => row[name] ?? null) }));
    void writer.write({ columnData, rowGroupSize: groupRows });
    rows = [];
  };
  return {
    add(row) {
      rows.push(row);
      if (rows.length < groupRows) return [];
      flush();
      return taken();
    },
    end() {
      if (rows.length > 0) flush();
      void writer.finish();
      return taken();
    },
  };
}

export async function* toParquet(
  rows: AsyncIterable<Fields>,
  columns: readonly Column[],
  file = "",
): AsyncGenerator<Part> {
  const encoder = createParquetEncoder(columns);
  for await (const row of rows) for (const bytes of encoder.add(row)) yield { file, bytes };
  for (const bytes of encoder.end()) yield { file, bytes };
}

/** Rows of a Parquet file, some hundred at a time. A spot's line is the row's number, from 1. */
export async function* readParquetRows(path: string): AsyncGenerator<{ row: Fields; spot: Spot }> {
  if (!existsSync(path)) throw new AttuneError("input", `${path}: there is no such file`);
  const file = await asyncBufferFromFile(path);
  let metadata: Awaited<ReturnType<typeof parquetMetadataAsync>>;
  try {
    metadata = await parquetMetadataAsync(file);
  } catch (error) {
    throw new AttuneError("input", `${path}: not a Parquet file`, { cause: error });
  }
  const count = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < count; rowStart += groupRows) {
    const rowEnd = Math.min(count, rowStart + groupRows);
    let rows: unknown[];
    try {
      rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd });
    } catch (error) {
      throw new AttuneError("input", `${path}: rows ${rowStart + 1} to ${rowEnd} cannot be read`, {
        cause: error,
      });
    }
    for (const [index, value] of rows.entries()) {
      const spot = { file: path, line: rowStart + index + 1, field: "" };
      yield { row: objectAt(plain(value), spot), spot };
    }
  }
}

/** Numbers of 64 bits as numbers, absent values left out, typed arrays as lists: as JSON would have it. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inside]) =>
      inside === null || inside === undefined ? [] : [[key, plain(inside)]],
    ),
  );
}
