import { createRandom, deriveSeed, type Random } from "../kit/random.ts";
import type { Player } from "../spec/environment.ts";
import type { Json, JsonObject, JsonSchema } from "../spec/json.ts";

/** Says nothing and calls nothing. What it earns is what an environment gives away. */
export const nullPlayer: Player = () => ({ role: "assistant", content: "" });

/** Says one thing, whatever is asked. */
export const parrot =
  (content: string): Player =>
  () => ({ role: "assistant", content });

/**
 * Calls random tools with random arguments that fit their schemas, and sooner or later answers something. Its words
 * are those of the conversation so far, so that it is no worse than chance could be.
 */
export function randomPlayer({ seed }: { seed: number }): Player {
  return ({ messages, tools }) => {
    const random = createRandom(deriveSeed(seed, "random player", messages.length));
    const words = messages.flatMap(({ content }) => content.match(/[\p{L}\p{N}]+/gu) ?? []);
    if (tools.length > 0 && random.next() < 0.6) {
      const { name, parameters } = random.pick(tools);
      const drawn = drawValue(parameters, { random, words });
      const call = { id: "call_0", name, arguments: isObject(drawn) ? drawn : {} };
      return { role: "assistant", content: "", toolCalls: [call] };
    }
    return { role: "assistant", content: `<answer>${drawWord({ random, words })}</answer>` };
  };
}

type Source = { random: Random; words: readonly string[] };

const drawWord = ({ random, words }: Source) => (words.length > 0 ? random.pick(words) : "word");

/** A value that fits the common parts of a JSON Schema; whatever else the schema asks may refuse it. */
function drawValue(schema: JsonSchema, source: Source): Json {
  const { random } = source;
  if ("const" in schema) return schema.const as Json;
  if (Array.isArray(schema.enum)) return random.pick(schema.enum as Json[]);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return drawValue(random.pick(choices as JsonSchema[]), source);
  switch (Array.isArray(schema.type) ? random.pick(schema.type as string[]) : schema.type) {
    case "object":
      return drawObject(schema, source);
    case "array":
      return Array.from({ length: random.integer(3) }, () =>
        drawValue((schema.items ?? {}) as JsonSchema, source),
      );
    case "integer":
      return Math.round(drawNumber(schema, random));
    case "number":
      return drawNumber(schema, random);
    case "boolean":
      return random.next() < 0.5;
    case "null":
      return null;
    default:
      return drawWord(source);
  }
}

/** Every required property, and each of the others every second time. */
function drawObject(schema: JsonSchema, source: Source): JsonObject {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = (schema.required ?? []) as string[];
  return Object.fromEntries(
    properties
      .filter(([name]) => required.includes(name) || source.random.next() < 0.5)
      .map(([name, property]) => [name, drawValue(property, source)]),
  );
}

function drawNumber({ minimum, maximum }: JsonSchema, random: Random): number {
  const low = Math.max(typeof minimum === "number" ? minimum : 0, -1e6);
  const high = Math.min(typeof maximum === "number" ? maximum : low + 100, 1e6);
  return low + random.next() * (high - low);
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
