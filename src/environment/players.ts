import { createRandom } from "../kit/random.ts";
import type { Player } from "../spec/environment.ts";
import type { Json, JsonObject, JsonSchema } from "../spec/json.ts";

/** Says nothing and calls nothing: what an environment must not reward. */
export const nullPlayer = (): Player => () => ({ role: "assistant", content: "" });

/** Calls random tools with arguments of the right types and answers at random: valid, and without a purpose. */
export function randomPlayer({ seed, turns = 3 }: { seed: number; turns?: number }): Player {
  const random = createRandom(seed);
  const word = () => Array.from({ length: 5 }, () => String.fromCharCode(97 + random.integer(26))).join("");
  const draw = (schema: JsonSchema): Json => {
    const choices = schema["enum"] as Json[] | undefined;
    if (choices) return random.pick(choices);
    switch (schema["type"]) {
      case "number":
      case "integer":
        return random.integer(100);
      case "boolean":
        return random.next() < 0.5;
      case "array":
        return [draw((schema["items"] as JsonSchema | undefined) ?? {})];
      case "object": {
        const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
        return Object.fromEntries(
          Object.entries(properties).map(([name, property]) => [name, draw(property)]),
        );
      }
      default:
        return word();
    }
  };
  return ({ messages, tools }) => {
    const turn = messages.filter(({ role }) => role === "assistant").length;
    if (turn >= turns || tools.length === 0)
      return { role: "assistant", content: `<answer>${word()}</answer>` };
    const tool = random.pick(tools);
    const call = {
      id: "call_0",
      name: tool.name,
      arguments: draw({ type: "object", ...tool.parameters }) as JsonObject,
    };
    return { role: "assistant", content: "", toolCalls: [call] };
  };
}

/** Says one thing, whatever is asked. */
export const parrot =
  (content: string): Player =>
  () => ({ role: "assistant", content });
