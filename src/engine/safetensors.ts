import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import { type ElementType, narrow, widen, widthOfType } from "./number-formats.ts";
import { repeatedKey } from "./repeated-key.ts";
import { shown } from "./shown.ts";

export type Tensor = { shape: readonly number[]; data: Float32Array };

/** A safetensors file whose header has been checked. Tensors are read one at a time, when they are asked for. */
export interface SafetensorsFile {
  path: string;
  /** Names and shapes, in the order in which the tensors lie in the file. */
  tensors: ReadonlyMap<string, { shape: readonly number[]; type: ElementType; count: number }>;
  /** All of a tensor as floats; nothing beside the result is held but one piece of it. */
  read(name: string): Float32Array;
  /** A tensor as floats in pieces, for looking at it without holding it. A piece is valid until the next. */
  pieces(name: string): Generator<{ from: number; floats: Float32Array }>;
  close(): void;
}

const size = z.number().int().nonnegative();
const headerSchema = z.record(
  z.string(),
  z.object({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) }),
);

/** Where a tensor lies; `from` and `to` are bytes from the beginning of the file. */
type Entry = { name: string; type: ElementType; shape: number[]; count: number; from: number; to: number };

/** Largest header that is read, as in the format's own implementation. */
const headerLimit = 100_000_000;

/** Numbers that are converted at once: what is held beside the tensors stays small whatever their size. */
const pieceLength = 2 ** 18;

/** Most bytes that go through one read or write. */
const chunkBytes = 2 ** 26;

/**
 * Opens a safetensors file of F32, F16 and BF16 tensors. The whole header is checked: that its tensors fill the file
 * without gap or overlap, and that each has the bytes its shape needs. Errors name file and tensor.
 */
export function openSafetensors(path: string): SafetensorsFile {
  const file = open(path);
  try {
    const entries = new Map(readHeader(file, path).map((entry) => [entry.name, entry]));
    const entryOf = (name: string): Entry => {
      const entry = entries.get(name);
      if (!entry) throw new AttuneError("input", `${path}: tensor ${shown(name)} is not in it`);
      return entry;
    };
    function* pieces(name: string) {
      const { type, count, from } = entryOf(name);
      const length = Math.min(count, pieceLength);
      const floats = new Float32Array(length);
      const halves = type === "F32" ? null : new Uint16Array(length);
      for (let start = 0; start < count; start += length) {
        const piece = floats.subarray(0, Math.min(length, count - start));
        const stored = halves?.subarray(0, piece.length) ?? piece;
        readExactly(file, bytesOf(stored), { from: from + start * widthOfType[type], path });
        if (type !== "F32") widen(type, stored as Uint16Array, piece);
        yield { from: start, floats: piece };
      }
    }
    return {
      path,
      tensors: entries,
      pieces,
      read(name) {
        const { type, count, from } = entryOf(name);
        const floats = allocate(count, () => `${path}: tensor ${shown(name)}`);
        if (type === "F32") readExactly(file, bytesOf(floats), { from, path });
        else for (const piece of pieces(name)) floats.set(piece.floats, piece.from);
        return floats;
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/**
 * Reads a safetensors file as 32-bit floats, one tensor at a time in the order of the file. The whole header is
 * checked before any tensor is read.
 */
export function* readSafetensors(path: string): Generator<[name: string, tensor: Tensor]> {
  const file = openSafetensors(path);
  try {
    for (const [name, { shape }] of file.tensors) yield [name, { shape, data: file.read(name) }];
  } finally {
    file.close();
  }
}

/** Writes tensors as F32 or rounded to 16 bits, atomically, one piece at a time. */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  { type = "F32" }: { type?: ElementType } = {},
): void {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { shape, data }] of tensors) {
    const end = offset + data.length * widthOfType[type];
    header[name] = { dtype: type, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const bytes = Buffer.from(text + " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  writeFileAtomic(
    path,
    (function* () {
      yield length;
      yield bytes;
      for (const { data } of tensors.values()) yield* storedPieces(data, type);
    })(),
  );
}

function* storedPieces(data: Float32Array, type: ElementType): Generator<Uint8Array> {
  if (type === "F32") {
    const content = bytesOf(data);
    for (let start = 0; start < content.length; start += chunkBytes)
      yield content.subarray(start, start + chunkBytes);
    return;
  }
  const halves = new Uint16Array(Math.min(data.length, pieceLength));
  for (let start = 0; start < data.length; start += halves.length) {
    const piece = data.subarray(start, start + halves.length);
    narrow(type, piece, halves);
    yield bytesOf(halves.subarray(0, piece.length));
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A header may be true and the tensor larger than the memory. */
function allocate(count: number, where: () => string): Float32Array {
  try {
    return new Float32Array(count);
  } catch {
    throw new AttuneError("engine", `${where()}: no memory for ${4 * count} bytes`);
  }
}

function open(path: string): number {
  const refuse = (what: string): never => {
    throw new AttuneError("input", `${path}: expected a safetensors file, got ${what}`);
  };
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    return refuse((error as Error).message);
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  return refuse("something that is no file");
}

/** What the file holds, in the order in which it lies there. Entries fill the file without gap or overlap. */
function readHeader(file: number, path: string): Entry[] {
  const refuse = (message: string): never => {
    throw new AttuneError("input", `${path}: ${message}`);
  };
  const fileSize = fstatSync(file).size;
  if (fileSize < 8) refuse(`expected a safetensors file, got ${fileSize} bytes`);
  const lengthBytes = Buffer.alloc(8);
  readExactly(file, lengthBytes, { from: 0, path });
  const length = Number(lengthBytes.readBigUInt64LE());
  if (length > headerLimit) refuse(`expected a header of at most ${headerLimit} bytes, got ${length}`);
  if (8 + length > fileSize) refuse(`truncated: its header ends at ${8 + length}, the file at ${fileSize}`);
  const text = Buffer.alloc(length);
  readExactly(file, text, { from: 8, path });

  const entries = Object.entries(parseHeader(text.toString("utf8"), refuse))
    .map(([name, { dtype, shape, data_offsets: offsets }]) => {
      const at = `tensor ${shown(name)}`;
      const type = dtype as ElementType;
      if (!Object.hasOwn(widthOfType, dtype))
        refuse(`${at}: expected F32, F16 or BF16, got ${shown(dtype, "")}`);
      const count = shape.reduce((product, side) => product * side, 1);
      const [from, to] = [8 + length + offsets[0], 8 + length + offsets[1]];
      const needed = count * widthOfType[type];
      if (to - from !== needed)
        refuse(`${at}: shape ${shown(shape)} of ${dtype} needs ${needed} bytes, got ${to - from}`);
      if (to > fileSize) refuse(`truncated: ${at} ends at ${to}, the file at ${fileSize}`);
      return { name, type, shape, count, from, to };
    })
    .sort((a, b) => a.from - b.from || a.to - b.to);

  let end = 8 + length;
  for (const { name, from, to } of entries) {
    if (from < end) refuse(`tensor ${shown(name)} begins at ${from}, inside of the one that ends at ${end}`);
    if (from > end) refuse(`${from - end} bytes before tensor ${shown(name)} belong to none`);
    end = to;
  }
  if (end !== fileSize) refuse(`${fileSize - end} bytes after the last tensor belong to none`);
  return entries;
}

function parseHeader(text: string, refuse: (message: string) => never) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("expected a safetensors header, got something that is not JSON");
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) refuse(`its header names tensor ${shown(twice)} twice`);
  if (typeof value === "object" && value !== null) delete (value as Record<string, unknown>)["__metadata__"];
  const parsed = headerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  return refuse(`its header is not one of safetensors: ${shown(path.join("."), "")}: ${shown(message, "")}`);
}

/** Fills the target; the operating system hands out at most 2 GiB a read. */
function readExactly(file: number, target: Uint8Array, { from, path }: { from: number; path: string }): void {
  let filled = 0;
  while (filled < target.length) {
    const wanted = Math.min(chunkBytes, target.length - filled);
    const got = readSync(file, target, filled, wanted, from + filled);
    if (got === 0)
      throw new AttuneError("input", `${path}: truncated: expected ${target.length} bytes at ${from}`);
    filled += got;
  }
}
