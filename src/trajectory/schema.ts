import { z } from "zod";
import type { Trajectory } from "../spec/trajectory.ts";

const index = z.number().int().nonnegative();
const jsonObject = z.record(z.string(), z.json());

const base64 = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, "base64")).buffer);
const wholeNumbers = base64.refine((bytes) => bytes.byteLength % 4 === 0, "not a whole number of elements");

/** An array that was read already, as from the file beside a store's lines, or base64 of its bytes. */
function numbers<Numbers>(
  isRead: (value: unknown) => value is Numbers,
  read: (bytes: ArrayBuffer) => Numbers,
) {
  return z.unknown().transform((value, context) => {
    if (isRead(value)) return value;
    const parsed = wholeNumbers.safeParse(value);
    if (parsed.success) return read(parsed.data as ArrayBuffer);
    context.addIssue({ code: "custom", message: parsed.error.issues[0]!.message });
    return z.NEVER;
  });
}

const toolFailure = z.enum(["invalid_arguments", "tool_error", "timeout", "infrastructure"]);

const message = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: z.string() }),
  z.object({ role: z.literal("user"), content: z.string() }),
  z.object({
    role: z.literal("assistant"),
    content: z.string(),
    toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: jsonObject })).optional(),
  }),
  z.object({
    role: z.literal("tool"),
    callId: z.string(),
    name: z.string(),
    content: z.string(),
    failure: toolFailure.optional(),
  }),
]);

const node = z
  .object({
    parent: index.nullable(),
    turn: index,
    message: message.nullable(),
    tokens: numbers(
      (value) => value instanceof Int32Array,
      (bytes) => new Int32Array(bytes),
    ),
    logprobs: numbers(
      (value) => value instanceof Float32Array,
      (bytes) => new Float32Array(bytes),
    ).nullable(),
    sampled: z.boolean(),
    mask: z.boolean(),
    policyVersion: z.number().nullable(),
    stopReason: z.enum(["stop", "length"]).optional(),
    gap: z.array(z.enum(["tokens", "logprobs", "prompt", "rest"])).optional(),
    extra: z.json().optional(),
    offered: z.array(index).optional(),
  })
  .refine(({ tokens, logprobs }) => logprobs === null || logprobs.length === tokens.length, {
    path: ["logprobs"],
    message: "expected one for each token",
  })
  .refine(({ tokens, gap }) => tokens.length === 0 || !gap?.includes("tokens"), {
    path: ["gap"],
    message: "expected no tokens where they are said to be unknown",
  });

export const taskSchema = z.object({
  id: z.string(),
  environment: z.string(),
  kind: z.string(),
  input: z.json(),
  answer: z.json().optional(),
  split: z.enum(["train", "test"]),
});

/** A trajectory as a line of JSON holds it, read into the record that the rest of Attune speaks of. */
export const trajectorySchema: z.ZodType<Trajectory> = z.object({
  format: z.literal(1, { error: ({ input }) => `expected 1, got ${JSON.stringify(input)}` }),
  id: z.string(),
  player: z.string(),
  step: index,
  group: z.string(),
  sample: index,
  attempt: index,
  seed: z.number(),
  task: taskSchema,
  tools: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      parameters: z.record(z.string(), z.unknown()),
    }),
  ),
  nodes: z.array(node).superRefine((nodes, context) => {
    const orphan = nodes.findIndex(({ parent }, position) => parent !== null && parent >= position);
    if (orphan !== -1)
      context.addIssue({
        code: "custom",
        path: [orphan, "parent"],
        message: "expected a node that comes before it",
      });
  }),
  calls: z.array(
    z.object({
      turn: index,
      id: z.string(),
      name: z.string(),
      arguments: jsonObject,
      observation: z.string(),
      failure: toolFailure.nullable(),
      latencyMs: z.number(),
    }),
  ),
  status: z.enum([
    "completed",
    "max_turns",
    "max_tokens",
    "context_overflow",
    "parse_error",
    "policy_error",
    "environment_error",
    "timeout",
    "cancelled",
  ]),
  error: z.string().optional(),
  outcome: z.json().optional(),
  rewards: z.record(z.string(), z.number().nullable()),
  reward: z.number().nullable(),
  timing: z.object({
    samplingMs: z.number(),
    toolMs: z.number(),
    gradingMs: z.number(),
    wallMs: z.number(),
  }),
});
