import { z } from "zod";
import type { RolloutLimits } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import type { EpisodeRequest, Trajectory } from "../spec/trajectory.ts";
import { taskSchema } from "../trajectory/schema.ts";
import { decodeTrajectory, encodeTrajectory, parseLine } from "../trajectory/stored-line.ts";
import { samplingSchema } from "./sample-wire.ts";

const index = z.number().int().nonnegative();

/** JSON has no infinity, and a limit may be lifted. */
const bound = z.union([z.number().nonnegative(), z.literal("Infinity")]).transform(Number);

const limitsSchema: z.ZodType<RolloutLimits> = z.object({
  turns: bound,
  tokensPerTurn: bound,
  tokens: bound,
  toolCalls: bound,
  observationCharacters: bound,
  toolTimeoutMs: bound,
  wallTimeMs: bound,
  unreadableTurns: bound,
  invalidTurns: bound,
});

const requestSchema: z.ZodType<EpisodeRequest> = z.object({
  task: taskSchema,
  step: index,
  group: z.string(),
  sample: index,
  seed: z.number(),
  sampling: samplingSchema,
});

const jobSchema = z.object({
  format: z.literal(1, { error: ({ input }) => `expected 1, got ${JSON.stringify(input)}` }),
  /** The run, as the record of who asked. */
  run: z.string(),
  /** One call of the trainer for episodes; what belongs to an earlier one is nobody's any more. */
  play: z.string().regex(/^[\w-]+$/),
  /** Queue of results. */
  results: z.string().regex(/^[\w.-]+$/),
  request: requestSchema,
  /** Every limit, as the trainer has resolved them. */
  limits: limitsSchema,
  /** What may be spent on an episode whose world fails, all attempts of it on one worker. */
  retry: z.object({ attempts: index.min(1), totalMs: bound, firstDelayMs: bound, mostDelayMs: bound }),
  policy: z.object({
    /** Where the trainer's policies are served, and what opens them. */
    url: z.url({ protocol: /^https?$/ }),
    key: z.string(),
    /** What it is called there; a number is used once. */
    number: index,
    version: z.number(),
    name: z.string(),
    contextLength: z.number().positive(),
  }),
});

/** What a worker is asked to do: play one episode. */
export type EpisodeJob = z.infer<typeof jobSchema>;

/** The job as plain JSON. */
export function encodeJob(job: EpisodeJob): unknown {
  return JSON.parse(
    JSON.stringify(job, (_key, value: unknown) => (value === Number.POSITIVE_INFINITY ? "Infinity" : value)),
  );
}

/** Throws `AttuneError` (input) with the first field that is not what it should be. */
export function decodeJob(data: unknown): EpisodeJob {
  return parse(jobSchema, data, "job");
}

const sessionsSchema = z.object({
  environment: z.string(),
  opened: index,
  leaked: index,
  leakedByTool: z.record(z.string(), index),
});

/** A line of JSON, and the bytes of its token ids and log-probabilities (little endian) with their checksum in it. */
const packedSchema = z.object({ line: z.string(), arrays: z.base64() });

const resultSchema = z.object({
  format: z.literal(1, { error: ({ input }) => `expected 1, got ${JSON.stringify(input)}` }),
  run: z.string(),
  play: z.string(),
  worker: z.string(),
  policyVersion: z.number(),
  /** How often the job was begun, this time included: more than once where a worker was lost. */
  starts: index.min(1),
  sessions: sessionsSchema,
  trajectory: packedSchema,
  /** Attempts that were thrown away because the world failed. */
  thrownAway: z.array(packedSchema),
});

/** What came of a job. */
export type EpisodeResult = Omit<z.infer<typeof resultSchema>, "format" | "trajectory" | "thrownAway"> & {
  trajectory: Trajectory;
  thrownAway: readonly Trajectory[];
};

/** The result as plain JSON. */
export function encodeResult({ trajectory, thrownAway, ...rest }: EpisodeResult): unknown {
  return { format: 1, ...rest, trajectory: pack(trajectory), thrownAway: thrownAway.map(pack) };
}

/** Throws `AttuneError` (input) with the first field that is not what it should be. */
export function decodeResult(data: unknown): EpisodeResult {
  const { format: _format, trajectory, thrownAway, ...rest } = parse(resultSchema, data, "result");
  return {
    ...rest,
    trajectory: unpack(trajectory, "result: trajectory"),
    thrownAway: thrownAway.map((each, position) => unpack(each, `result: thrownAway.${position}`)),
  };
}

function pack(trajectory: Trajectory): z.infer<typeof packedSchema> {
  const { line, arrays } = encodeTrajectory(trajectory, 0);
  return { line: line.toString("utf8"), arrays: arrays.toString("base64") };
}

function unpack({ line, arrays }: z.infer<typeof packedSchema>, where: string): Trajectory {
  return decodeTrajectory(parseLine(line, where), Buffer.from(arrays, "base64"), where);
}

function parse<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.infer<Schema> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AttuneError("input", `${what}: ${issue!.path.join(".") || "whole"}: ${issue!.message}`);
}
