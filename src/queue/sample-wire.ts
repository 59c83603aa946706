import { z } from "zod";
import { AttuneError } from "../spec/error.ts";
import type { Sample, SampleRequest } from "../spec/policy.ts";

// A message is: u32 length of a JSON header in bytes, the header padded with spaces to a multiple of four, then the
// arrays that it speaks of, 4 bytes an element, little endian.

const index = z.number().int().nonnegative();

/** What a run says of sampling. */
export const samplingSchema = z.object({
  temperature: z.number().nonnegative(),
  topP: z.number().optional(),
  topK: z.number().optional(),
  minP: z.number().optional(),
  stop: z.array(z.string()).optional(),
  stopTokens: z.array(index).optional(),
});

const requestHeader = z.object({
  params: samplingSchema.extend({ maxTokens: index.min(1), seed: z.number() }),
  count: index.min(1).max(1024),
});

const replyHeader = z.object({
  version: z.number(),
  samples: z.array(z.object({ tokens: index, stopReason: z.enum(["stop", "length"]) })),
});

export type SampleOrder = Pick<SampleRequest, "prompt" | "params"> & { count: number };
export type SampleReply = { version: number; samples: Sample[] };

export function encodeOrder({ prompt, params, count }: SampleOrder): Uint8Array<ArrayBuffer> {
  return encode({ params, count }, [prompt]);
}

/** Throws `AttuneError` (input) for bytes that are no order, or ids outside the vocabulary. */
export function decodeOrder(bytes: ArrayBuffer, vocabularySize: number): SampleOrder {
  const { header, body } = decode(bytes, requestHeader, "sample request");
  const prompt = new Int32Array(bytes, body);
  checkTokens(prompt, vocabularySize, "sample request");
  return { ...header, prompt };
}

export function encodeReply({ version, samples }: SampleReply): Uint8Array<ArrayBuffer> {
  const header = {
    version,
    samples: samples.map(({ tokens, stopReason }) => ({ tokens: tokens.length, stopReason })),
  };
  return encode(
    header,
    samples.flatMap(({ tokens, logprobs }) => [tokens, logprobs]),
  );
}

/** Throws `AttuneError` (input) for bytes that are no reply. The arrays are views of the bytes. */
export function decodeReply(bytes: ArrayBuffer, vocabularySize: number): SampleReply {
  const { header, body } = decode(bytes, replyHeader, "samples");
  const expected = header.samples.reduce((total, { tokens }) => total + 8 * tokens, 0);
  if (bytes.byteLength - body !== expected)
    throw new AttuneError(
      "input",
      `samples: expected ${expected} bytes of tokens and log-probabilities, got ${bytes.byteLength - body}`,
    );
  let at = body;
  const samples = header.samples.map(({ tokens: count, stopReason }) => {
    const tokens = new Int32Array(bytes, at, count);
    const logprobs = new Float32Array(bytes, at + 4 * count, count);
    at += 8 * count;
    checkTokens(tokens, vocabularySize, "samples");
    return { tokens, logprobs, stopReason };
  });
  return { version: header.version, samples };
}

function encode(header: unknown, arrays: readonly (Int32Array | Float32Array)[]): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(text.length / 4) * 4;
  const bytes = new Uint8Array(4 + padded + arrays.reduce((total, { byteLength }) => total + byteLength, 0));
  new DataView(bytes.buffer).setUint32(0, padded, true);
  bytes.set(text, 4);
  bytes.fill(0x20, 4 + text.length, 4 + padded);
  let at = 4 + padded;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

function decode<Schema extends z.ZodType>(
  bytes: ArrayBuffer,
  schema: Schema,
  what: string,
): { header: z.infer<Schema>; body: number } {
  const refuse = (message: string): never => {
    throw new AttuneError("input", `${what}: ${message}`);
  };
  if (bytes.byteLength < 4 || bytes.byteLength % 4 !== 0)
    refuse(`expected a multiple of 4 bytes, got ${bytes.byteLength}`);
  const length = new DataView(bytes).getUint32(0, true);
  const body = 4 + length;
  if (length % 4 !== 0 || body > bytes.byteLength)
    refuse(`expected a header of ${length} bytes, got ${bytes.byteLength - 4} bytes in all`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes, 4, length).toString("utf8"));
  } catch {
    refuse("expected a header of JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { header: parsed.data, body };
  const [issue] = parsed.error.issues;
  return refuse(`${issue!.path.join(".") || "header"}: ${issue!.message}`);
}

function checkTokens(tokens: Int32Array, vocabularySize: number, what: string): void {
  const wrong = tokens.find((token) => token < 0 || token >= vocabularySize);
  if (wrong !== undefined)
    throw new AttuneError("input", `${what}: token ${wrong} is not in a vocabulary of ${vocabularySize}`);
}
