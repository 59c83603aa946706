import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";

export type Tensor = { shape: readonly number[]; data: Float32Array };

const size = z.number().int().nonnegative();
const headerSchema = z.record(
  z.string(),
  z.object({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) }),
);

const widthOfType = { F32: 4, F16: 2, BF16: 2 } as const;
type ElementType = keyof typeof widthOfType;

/** Where a tensor lies; `from` and `to` are bytes from the beginning of the file. */
type Entry = { name: string; type: ElementType; shape: number[]; count: number; from: number; to: number };

/** Largest header that is read, as in the format's own implementation. */
const headerLimit = 100_000_000;

/** Most bytes that go through one read or write. */
const chunkBytes = 2 ** 26;

/**
 * Reads a safetensors file as 32-bit floats, one tensor at a time in the order of the file, straight into the arrays
 * that are yielded. Accepts F32, F16 and BF16. The whole header is checked before any tensor is read; errors name
 * file and tensor.
 */
export function* readSafetensors(path: string): Generator<[name: string, tensor: Tensor]> {
  const file = open(path);
  try {
    for (const { name, type, shape, count, from } of readHeader(file, path))
      yield [name, { shape, data: readFloats(file, { type, count, from, path }) }];
  } finally {
    closeSync(file);
  }
}

/** Writes tensors as F32, atomically, one chunk at a time. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, Tensor>): void {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
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
      for (const { data } of tensors.values()) {
        const content = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        for (let start = 0; start < content.length; start += chunkBytes)
          yield content.subarray(start, start + chunkBytes);
      }
    })(),
  );
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new AttuneError("input", `${path}: expected a safetensors file, got ${(error as Error).message}`);
  }
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
      const at = `tensor "${name}"`;
      const type = dtype as ElementType;
      if (!Object.hasOwn(widthOfType, dtype)) refuse(`${at}: expected F32, F16 or BF16, got ${dtype}`);
      const count = shape.reduce((product, side) => product * side, 1);
      const [from, to] = [8 + length + offsets[0], 8 + length + offsets[1]];
      const needed = count * widthOfType[type];
      if (to - from !== needed)
        refuse(`${at}: shape [${shape.join()}] of ${dtype} needs ${needed} bytes, got ${to - from}`);
      if (to > fileSize) refuse(`truncated: ${at} ends at ${to}, the file at ${fileSize}`);
      return { name, type, shape, count, from, to };
    })
    .sort((a, b) => a.from - b.from || a.to - b.to);

  let end = 8 + length;
  for (const { name, from, to } of entries) {
    if (from < end) refuse(`tensor "${name}" begins at ${from}, inside of the one that ends at ${end}`);
    if (from > end) refuse(`${from - end} bytes before tensor "${name}" belong to none`);
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
  if (typeof value === "object" && value !== null) delete (value as Record<string, unknown>)["__metadata__"];
  const parsed = headerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  return refuse(`its header is not one of safetensors: ${path.join(".")}: ${message}`);
}

type Extent = { type: ElementType; count: number; from: number; path: string };

function readFloats(file: number, { type, count, from, path }: Extent): Float32Array {
  const floats = new Float32Array(count);
  if (type === "F32") {
    readExactly(file, new Uint8Array(floats.buffer), { from, path });
    return floats;
  }
  const bits = new Uint32Array(floats.buffer);
  const halves = new Uint16Array(Math.min(count, chunkBytes / 2));
  for (let start = 0; start < count; start += halves.length) {
    const chunk = halves.subarray(0, count - start);
    readExactly(file, new Uint8Array(chunk.buffer, 0, chunk.byteLength), { from: from + 2 * start, path });
    // bfloat16 is the upper half of a float
    if (type === "BF16") for (let at = 0; at < chunk.length; at++) bits[start + at] = chunk[at]! << 16;
    else for (let at = 0; at < chunk.length; at++) floats[start + at] = halfToFloat(chunk[at]!);
  }
  return floats;
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

/** IEEE 754 binary16. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
