import type { RewardComponent } from "../../spec/environment.ts";
import type { Json, JsonSchema } from "../../spec/json.ts";
import type { Message } from "../../spec/message.ts";
import type { ToolSpec } from "../../spec/tool.ts";

type Tools = ReadonlyMap<string, ToolSpec>;

/** Share of the argument names written that no schema has, those of tools that do not exist among them. */
export function hallucinatedParameters(tools: Tools): RewardComponent {
  return {
    weight: 0,
    grade: ({ calls }) => {
      const known = calls.flatMap(({ name, arguments: given }) =>
        Object.keys(given).map((argument) => Object.hasOwn(propertiesOf(tools.get(name)), argument)),
      );
      return shareOf(known.map((isKnown) => !isKnown));
    },
  };
}

/**
 * Share of the argument values that nobody said before: they stand neither in the words of the task, nor in what an
 * earlier call gave (errors repeat what the policy wrote and so do not count), nor among a schema's own values.
 */
export function ungroundedValues(tools: Tools): RewardComponent {
  return {
    weight: 0,
    grade: ({ messages }) => shareOf(groundedOf(messages, tools).map((isGrounded) => !isGrounded)),
  };
}

/** Calls above those a right solution needs; null where the task was not solved. */
export function unnecessaryCalls({
  needed,
  isDone,
}: {
  needed: (input: Json) => number;
  isDone: (context: Parameters<RewardComponent["grade"]>[0]) => boolean;
}): RewardComponent {
  return {
    weight: 0,
    grade: (context) =>
      isDone(context) ? Math.max(0, context.calls.length - needed(context.task.input)) : null,
  };
}

function groundedOf(messages: readonly Message[], tools: Tools): boolean[] {
  const grounded: boolean[] = [];
  let evidence = "";
  for (const message of messages) {
    if (message.role !== "assistant") {
      const isError = message.role === "tool" && message.failure !== undefined;
      if (!isError) evidence += `\n${message.content.toLowerCase()}`;
      continue;
    }
    for (const { name, arguments: given } of message.toolCalls ?? [])
      for (const [argument, value] of Object.entries(given)) {
        const offered = valuesIn(propertiesOf(tools.get(name))[argument]);
        for (const leaf of leavesOf(value)) grounded.push(offered.includes(leaf) || occurs(leaf, evidence));
      }
  }
  return grounded;
}

/** Whether a value stands in a text as a word of its own. */
function occurs(value: Json, evidence: string): boolean {
  const text = String(value as string | number | boolean)
    .toLowerCase()
    .trim();
  if (text === "") return false;
  for (let at = evidence.indexOf(text); at !== -1; at = evidence.indexOf(text, at + 1))
    if (!isWordPart(evidence[at - 1]) && !isWordPart(evidence[at + text.length])) return true;
  return false;
}

const isWordPart = (character: string | undefined) =>
  character !== undefined && /[\p{L}\p{N}_]/u.test(character);

function leavesOf(value: Json): Json[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

const valuesIn = (schema: JsonSchema | undefined): unknown[] =>
  schema?.type === "boolean" ? [true, false] : Array.isArray(schema?.enum) ? (schema.enum as unknown[]) : [];

const propertiesOf = (tool: ToolSpec | undefined): Record<string, JsonSchema> =>
  (tool?.parameters.properties ?? {}) as Record<string, JsonSchema>;

const shareOf = (marks: readonly boolean[]): number | null =>
  marks.length === 0 ? null : marks.filter(Boolean).length / marks.length;
