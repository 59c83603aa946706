import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";

export type Tensor = { shape: readonly number[]; data: Float32Array };

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.number().int().nonnegative()),
    data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
  }),
);

const bytesOfType = { F32: 4, F16: 2, BF16: 2 } as const;
type ElementType = keyof typeof bytesOfType;

/**
 * Reads a safetensors file as 32-bit floats, one tensor at a time, so that the file is never held beside the
 * result. Accepts F32, F16 and BF16. Errors name file and tensor.
 */
export function* readSafetensors(path: string): Generator<[name: string, tensor: Tensor]> {
  const refuse = (message: string): never => {
    throw new AttuneError("input", `${path}: ${message}`);
  };
  const file = openSync(path, "r");
  try {
    const size = fstatSync(file).size;
    const read = (offset: number, length: number) => {
      const bytes = Buffer.alloc(length);
      const got = readSync(file, bytes, 0, length, offset);
      return got === length ? bytes : refuse(`truncated: expected ${length} bytes at ${offset}, got ${got}`);
    };
    if (size < 8) refuse(`expected a safetensors file, got ${size} bytes`);
    const headerLength = Number(read(0, 8).readBigUInt64LE());
    if (headerLength > size - 8)
      refuse(`truncated: its header has ${headerLength} bytes and the file ${size}`);
    const header = parseHeader(read(8, headerLength).toString("utf8"), refuse);
    let end = 0;
    for (const [
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ] of Object.entries(header).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0])) {
      const width =
        bytesOfType[dtype as ElementType] ??
        refuse(`tensor "${name}": expected F32, F16 or BF16, got ${dtype}`);
      const count = shape.reduce((product, side) => product * side, 1);
      if (to - from !== count * width) {
        refuse(
          `tensor "${name}": shape [${shape}] of ${dtype} needs ${count * width} bytes, and it has ${to - from}`,
        );
      }
      if (from < end) refuse(`tensor "${name}" overlaps the one before it`);
      end = to;
      if (8 + headerLength + to > size)
        refuse(`truncated: tensor "${name}" ends at ${8 + headerLength + to}, the file at ${size}`);
      yield [
        name,
        { shape, data: toFloats(read(8 + headerLength + from, to - from), dtype as ElementType, count) },
      ];
    }
  } finally {
    closeSync(file);
  }
}

/** Writes tensors as F32, atomically. */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Record<string, string> = {},
): void {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt", ...metadata } };
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
      for (const { data } of tensors.values())
        yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    })(),
  );
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
  if (!parsed.success)
    return refuse(`its header is not one of safetensors: ${parsed.error.issues[0]!.path.join(".")}`);
  return parsed.data;
}

function toFloats(bytes: Buffer, dtype: ElementType, count: number): Float32Array {
  const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  if (dtype === "F32") return new Float32Array(aligned);
  const halves = new Uint16Array(aligned);
  const bits = new Uint32Array(count);
  const floats = new Float32Array(bits.buffer);
  if (dtype === "BF16") for (let index = 0; index < count; index++) bits[index] = halves[index]! << 16;
  else for (let index = 0; index < count; index++) floats[index] = halfToFloat(halves[index]!);
  return floats;
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
