import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Tool } from "../spec/tool.ts";

/**
 * Names that belong to whoever drives an environment (OpenEnv's reset, step, state and close: an agent that could
 * reset would learn that nothing has consequences), and names that are no plain keys in JavaScript.
 */
export const reservedToolNames: readonly string[] = [
  "reset",
  "step",
  "state",
  "close",
  "__proto__",
  "constructor",
  "prototype",
];

/** What is wrong with the tools a session offers, one line a fault, each by the tool's name. */
export function checkTools(tools: readonly Tool[]): string[] {
  const names = tools.map(({ name }) => name);
  return tools.flatMap((tool, index) => {
    const faults: string[] = [];
    const { name, parameters } = tool;
    if (names.indexOf(name) !== index) return [`tool "${name}" is there twice`];
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
      faults.push(`tool "${name}": expected a name of up to 64 letters, digits, dashes and underscores`);
    if (reservedToolNames.includes(name)) faults.push(`tool "${name}" has a reserved name`);
    const wrong = wrongSchema(parameters);
    if (wrong !== undefined) faults.push(`tool "${name}": its parameters are no JSON Schema: ${wrong}`);
    else if (parameters["type"] !== "object")
      faults.push(
        `tool "${name}": expected parameters of type "object", got ${JSON.stringify(parameters["type"])}`,
      );
    return faults;
  });
}

function wrongSchema(parameters: unknown): string | undefined {
  if (typeof parameters !== "object" || parameters === null) return `got ${String(parameters)}`;
  const Dialect = /draft-0[67]/.test(String((parameters as { $schema?: unknown }).$schema)) ? Ajv : Ajv2020;
  try {
    new Dialect({ strict: false, logger: false }).compile(parameters);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n", 1)[0];
  }
}
