import { z } from "zod";
import { AttuneError } from "../../spec/error.ts";
import type { Json } from "../../spec/json.ts";
import type { Status } from "../../spec/trajectory.ts";
import { issuesOf } from "../openenv/frames.ts";

// What a controller says, in both editions of its HTTP protocol (THUDM/AgentBench 0.2, `src/typings`; the
// function-calling edition, agentrl-worker 0.4, `typings.py` and `task_worker.py`).

/** How a sample ended, as the controller says it, and what that is in our words. */
const policyStatuses = {
  completed: "completed",
  "agent context limit": "context_overflow",
  "agent validation failed": "parse_error",
  "agent invalid action": "policy_error",
  "task limit reached": "max_turns",
} as const satisfies Record<string, Status>;

/** Ends that say nothing about the agent: the task broke, or somebody else stopped it. */
const worldStatuses = ["task error", "unknown", "cancelled"] as const;

const statusSchema = z.enum([
  "running",
  ...(Object.keys(policyStatuses) as (keyof typeof policyStatuses)[]),
  ...worldStatuses,
]);

const callSchema = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const messageSchema = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "agent", "tool"]),
  content: z
    .union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))])
    .nullish(),
  tool_calls: z.array(callSchema).nullish(),
  tool_call_id: z.string().nullish(),
});

export type WireMessage = z.infer<typeof messageSchema>;

const record = z.record(z.string(), z.unknown());

const toolSchema = z.union([
  z
    .looseObject({
      function: z.looseObject({
        name: z.string(),
        description: z.string().nullish(),
        parameters: record.nullish(),
      }),
    })
    .transform(({ function: { name, description, parameters } }) => ({ name, description, parameters })),
  z
    .looseObject({ name: z.string(), description: z.string().nullish(), input_schema: record })
    .transform(({ name, description, input_schema }) => ({ name, description, parameters: input_schema })),
]);

export type WireTool = z.infer<typeof toolSchema>;

const functionCallingSchema = z.looseObject({
  messages: z.array(messageSchema).nullish(),
  tools: z.array(toolSchema).nullish(),
  status: statusSchema.nullish(),
  finish: z.boolean().nullish(),
  reward: z.number().nullish(),
  metrics: record.nullish(),
  metric: record.nullish(),
  result: z.unknown().optional(),
});

const textSchema = z.looseObject({
  status: statusSchema,
  history: z.array(messageSchema).nullish(),
  result: z.unknown().optional(),
});

/** `tools`: messages and tools in OpenAI's form. `text`: the edition before, in which an agent only writes. */
export type Edition = "tools" | "text";

/** What a task worker says: at the start, and after each thing that the agent does. */
export type Turn = {
  edition: Edition;
  /** All of them at the start; later those that are new, or all of them again. */
  messages: WireMessage[];
  tools: WireTool[];
  finished: boolean;
  /** As the controller says it. */
  status: string;
  /** In our words, where the sample has ended. */
  ended: Status | null;
  reward: number | null;
  metrics: Record<string, number>;
  result: Json;
};

/** Reads an answer of either edition. Throws `AttuneError` (environment), also for a task that broke. */
export function readTurn(value: unknown, where: string): Turn {
  const { output, env_out } = (value ?? {}) as { output?: unknown; env_out?: unknown };
  if (output !== undefined) return readText(output, where);
  const turn = parsed(functionCallingSchema, env_out ?? value, where);
  // controllers differ in what they leave out
  const finished = turn.finish ?? (turn.status != null && turn.status !== "running");
  const status = turn.status ?? (finished ? "completed" : "running");
  return {
    edition: "tools",
    messages: turn.messages ?? [],
    tools: turn.tools ?? [],
    finished,
    status,
    ended: endOf(status, { finished, result: turn.result, where }),
    reward: finished ? (turn.reward ?? null) : null,
    metrics: numbersIn(turn.metrics ?? turn.metric ?? {}),
    result: (turn.result ?? null) as Json,
  };
}

function readText(output: unknown, where: string): Turn {
  const { status, history, result } = parsed(textSchema, output, where);
  const finished = status !== "running";
  return {
    edition: "text",
    messages: history ?? [],
    tools: [],
    finished,
    status,
    ended: endOf(status, { finished, result, where }),
    reward: finished ? rewardIn(result) : null,
    metrics: {},
    result: (result ?? null) as Json,
  };
}

function endOf(
  status: z.infer<typeof statusSchema>,
  { finished, result, where }: { finished: boolean; result: unknown; where: string },
): Status | null {
  if (!finished && status === "running") return null;
  if (finished && status in policyStatuses) return policyStatuses[status as keyof typeof policyStatuses];
  const said = result === null || result === undefined ? "" : `: ${oneLine(result)}`;
  const expected = finished ? "an end" : "that the task goes on";
  throw new AttuneError("environment", `${where}: got status "${status}", expected ${expected}${said}`);
}

/** The text edition has no reward: tasks put `result`, `reward` or `score` into what they give back. */
function rewardIn(result: unknown): number | null {
  if (typeof result !== "object" || result === null) return null;
  const { reward, score, result: own } = result as Record<string, unknown>;
  const found = [reward, score, own].find((value) => typeof value === "number" || typeof value === "boolean");
  return found === undefined || !Number.isFinite(Number(found)) ? null : Number(found);
}

const numbersIn = (metrics: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );

/** Anything a server said, short enough for an error of one line. */
export function oneLine(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= 200 ? line : `${line.slice(0, 200)}…`;
}

/** The value as the schema has it. Throws `AttuneError` (environment) that says what was got. */
export function parsed<Value>(schema: z.ZodType<Value>, value: unknown, where: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AttuneError("environment", `${where}: got ${oneLine(value)}: ${issuesOf(result.error)}`);
}
