import { z } from "zod";

// The frames of the OpenEnv protocol (huggingface/OpenEnv 0.3, `core/env_server/types.py` and `mcp_types.py`): a client
// sends reset, step, state, close or mcp over a WebSocket, one connection being one session, and gets one frame back.

/** Names that belong to whoever drives the world. A tool of such a name would let an agent undo its own doings. */
export const reservedToolNames: readonly string[] = ["reset", "step", "state", "close"];

export type ErrorCode =
  | "INVALID_JSON"
  | "UNKNOWN_TYPE"
  | "VALIDATION_ERROR"
  | "EXECUTION_ERROR"
  | "CAPACITY_REACHED"
  | "FACTORY_ERROR"
  | "SESSION_ERROR";

/** A refusal in the protocol's form; `more` stands beside code and message in the frame. */
export class FrameError extends Error {
  /** One of ours, or what another server came up with. */
  readonly code: ErrorCode | (string & {});
  readonly more: Record<string, unknown>;

  constructor(code: ErrorCode | (string & {}), message: string, more: Record<string, unknown> = {}) {
    super(message);
    this.name = "FrameError";
    this.code = code;
    this.more = more;
  }
}

const record = z.record(z.string(), z.unknown());

const clientFrames = {
  reset: z.strictObject({ type: z.literal("reset"), data: record.default({}) }),
  step: z.strictObject({ type: z.literal("step"), data: record }),
  state: z.strictObject({ type: z.literal("state") }),
  close: z.strictObject({ type: z.literal("close") }),
  mcp: z.strictObject({ type: z.literal("mcp"), data: record }),
};

export type ClientFrame = {
  [Type in keyof typeof clientFrames]: z.infer<(typeof clientFrames)[Type]>;
}[keyof typeof clientFrames];

/** What a reset may ask for. Keys that are not listed are let through and left out, as other servers do. */
export const resetSchema = z.object({
  seed: z.int().min(0).nullish(),
  episode_id: z.string().max(255).nullish(),
  split: z.enum(["train", "test"]).default("train"),
  /** Which task of the stream that split and seed give. */
  index: z.int().min(0).max(9999).default(0),
});

const metadata = record.optional();

export const actionSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("list_tools"), metadata }).meta({ title: "ListToolsAction" }),
  z
    .strictObject({
      type: z.literal("call_tool"),
      tool_name: z.string(),
      arguments: record.default({}),
      metadata,
    })
    .meta({ title: "CallToolAction" }),
  z.strictObject({ type: z.literal("message"), content: z.string(), metadata }).meta({
    title: "MessageAction",
    description: "a message to the world without a tool call, such as the final answer",
  }),
]);

/** What comes back for a reset or a step. `reward` is null where nothing was said about it. */
export const resultSchema = z.object({
  observation: record,
  reward: z.union([z.number(), z.boolean()]).nullish(),
  done: z.boolean().default(false),
});

export const serverFrameSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("observation"), data: resultSchema }),
  z.object({ type: z.literal("state"), data: record }),
  z.object({ type: z.literal("mcp"), data: record }),
  z.object({ type: z.literal("error"), data: z.looseObject({ message: z.string(), code: z.string() }) }),
]);

export type StepResult = z.infer<typeof resultSchema>;
export type ServerFrame = z.infer<typeof serverFrameSchema>;

/** Reads what a client sent. Throws `FrameError` that says what was got and what was expected. */
export function readClientFrame(text: string): ClientFrame {
  const value = parseJson(text);
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== "string" || !Object.hasOwn(clientFrames, type)) {
    const known = Object.keys(clientFrames).join(", ");
    throw new FrameError("UNKNOWN_TYPE", `type: got ${shown(type)}, expected one of ${known}`);
  }
  return checked(clientFrames[type as keyof typeof clientFrames] as z.ZodType<ClientFrame>, value, "frame");
}

/** The value as the schema has it. Throws `FrameError` (VALIDATION_ERROR) with one line for all that is wrong. */
export function checked<Value>(schema: z.ZodType<Value>, value: unknown, where: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FrameError("VALIDATION_ERROR", `${where}: ${issuesOf(result.error)}`, {
    errors: result.error.issues.map(({ path, message, code }) => ({ loc: path, msg: message, type: code })),
  });
}

export function issuesOf({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message))
    .join("; ");
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FrameError("INVALID_JSON", `got ${shown(text)}, expected JSON: ${(error as Error).message}`);
  }
}

/** Something from outside, short enough for one line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
