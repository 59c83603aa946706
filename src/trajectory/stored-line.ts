import { crc32 } from "node:zlib";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { type Heading, headingOf } from "./heading.ts";
import { trajectorySchema } from "./schema.ts";

/**
 * Where the token ids and log-probabilities of a stored line are: offset and length in bytes in the file of arrays
 * beside it, and their CRC-32. Arrays stand in the order of the nodes, ids before log-probabilities.
 */
export type ArrayPlace = readonly [at: number, bytes: number, checksum: number];

export type EncodedTrajectory = { line: Buffer; arrays: Buffer; heading: Heading };

/** A trajectory as a line of JSON in which nodes say how many tokens they have, and the arrays themselves. */
export function encodeTrajectory(trajectory: Trajectory, at: number): EncodedTrajectory {
  const parts: Uint8Array[] = [];
  const nodes = trajectory.nodes.map((node) => {
    if (node.tokens.length > 0) parts.push(bytesOf(node.tokens));
    if (node.logprobs && node.logprobs.length > 0) parts.push(bytesOf(node.logprobs));
    return { ...node, tokens: node.tokens.length, logprobs: node.logprobs?.length ?? null };
  });
  const arrays = parts.length === 1 ? Buffer.from(parts[0]!) : Buffer.concat(parts);
  const place: ArrayPlace = [at, arrays.length, crc32(arrays)];
  const line = Buffer.from(`${JSON.stringify({ ...trajectory, nodes, arrays: place })}\n`);
  return { line, arrays, heading: headingOf(trajectory, nodes) };
}

/** A line of JSON that holds a trajectory, its arrays in it or in the file beside it. */
export type StoredLine = { value: Record<string, unknown>; place: ArrayPlace | undefined };

export function parseLine(text: string, where: string): StoredLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AttuneError("input", `${where}: not JSON`, { cause: error });
  }
  return toStoredLine(value, where);
}

export function toStoredLine(value: unknown, where: string): StoredLine {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new AttuneError("input", `${where}: expected a trajectory, got ${JSON.stringify(value)}`);
  const { arrays: place } = value as { arrays?: unknown };
  if (place === undefined) return { value: value as Record<string, unknown>, place: undefined };
  if (
    !Array.isArray(place) ||
    place.length !== 3 ||
    !place.every((part) => Number.isSafeInteger(part) && part >= 0)
  )
    throw new AttuneError("input", `${where}: arrays: expected [offset, bytes, checksum]`);
  return { value: value as Record<string, unknown>, place: place as unknown as ArrayPlace };
}

/** The trajectory of a line, checked field by field. `arrays` are the bytes that its place names. */
export function decodeTrajectory(
  { value, place }: StoredLine,
  arrays: Buffer | undefined,
  where: string,
): Trajectory {
  const whole = place ? withArrays(value, { place, arrays, where }) : value;
  const parsed = trajectorySchema.safeParse(whole);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AttuneError("input", `${where}: ${issue!.path.join(".") || "trajectory"}: ${issue!.message}`);
}

/** The heading of a line; reads no arrays. */
export function headingOfLine({ value, place }: StoredLine, where: string): Heading {
  const { format, nodes } = value as { format?: unknown; nodes?: unknown };
  if (format !== 1)
    throw new AttuneError("input", `${where}: format: expected 1, got ${JSON.stringify(format)}`);
  try {
    return headingOf(
      value as unknown as Trajectory,
      (nodes as { tokens: number | string; sampled: boolean }[]).map(({ tokens, sampled }) => ({
        tokens: place ? Number(tokens) : Buffer.byteLength(String(tokens), "base64") / 4,
        sampled,
      })),
    );
  } catch (error) {
    throw new AttuneError("input", `${where}: expected a trajectory, got something else`, { cause: error });
  }
}

/** Whether the bytes are those that the line was written with. */
export function areIntact([, bytes, checksum]: ArrayPlace, arrays: Buffer): boolean {
  return arrays.length === bytes && crc32(arrays) === checksum;
}

function withArrays(
  value: Record<string, unknown>,
  { place, arrays, where }: { place: ArrayPlace; arrays: Buffer | undefined; where: string },
): Record<string, unknown> {
  if (!arrays || !areIntact(place, arrays))
    throw new AttuneError(
      "input",
      `${where}: its tokens at byte ${place[0]} beside it are missing or damaged`,
    );
  const { arrays: _place, ...rest } = value;
  const nodes = rest["nodes"];
  if (!Array.isArray(nodes)) return rest;
  let offset = 0;
  const take = (count: unknown) => {
    const length = typeof count === "number" && count >= 0 ? count * 4 : 0;
    const bytes = arrays.subarray(offset, offset + length);
    offset += length;
    // a copy of its own: aligned, and the rest of what was read can be let go
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  };
  const filled = nodes.map((node: { tokens: unknown; logprobs: unknown }) => ({
    ...node,
    tokens: new Int32Array(take(node.tokens)),
    logprobs: node.logprobs === null ? null : new Float32Array(take(node.logprobs)),
  }));
  if (offset !== place[1])
    throw new AttuneError(
      "input",
      `${where}: its nodes speak of ${offset} bytes of tokens, and ${place[1]} are kept`,
    );
  return { ...rest, nodes: filled };
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
