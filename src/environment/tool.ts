import type { StandardSchemaV1 } from "@standard-schema/spec";
import { Ajv } from "ajv";
import { z } from "zod";
import { AttuneError } from "../spec/error.ts";
import type { JsonObject, JsonSchema } from "../spec/json.ts";
import type { ArgumentCheck, Tool, ToolContext } from "../spec/tool.ts";

/** How a tool is defined: `input` is a Standard Schema (zod and others) or a plain JSON Schema. */
export type ToolDefinition<Input> = {
  name: string;
  description: string;
  input: StandardSchemaV1<unknown, Input> | JsonSchema;
  /** JSON Schema shown to the model, where `input` is of a library that cannot give one. */
  parameters?: JsonSchema;
  timeoutMs?: number;
  /** Returns the observation. Throw `ToolError` for what the policy did wrong and should be told. */
  execute(input: Input, context: ToolContext): string | Promise<string>;
};

/** A tool whose arguments are checked before it runs. */
export function tool<Input>({
  name,
  description,
  input,
  parameters,
  timeoutMs,
  execute,
}: ToolDefinition<Input>): Tool {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new AttuneError(
      "usage",
      `tool "${name}": expected a name of up to 64 letters, digits, dashes and underscores`,
    );
  }
  const shared = {
    name,
    description,
    ...(timeoutMs !== undefined && { timeoutMs }),
    execute: execute as Tool["execute"],
  };
  if (isStandardSchema(input)) {
    return {
      ...shared,
      parameters: parameters ?? toJsonSchema(name, input),
      check: (value) => checkStandard(input, value),
    };
  }
  return { ...shared, parameters: input, check: checkJsonSchema(name, input) };
}

function isStandardSchema(input: object): input is StandardSchemaV1 {
  return "~standard" in input;
}

/** Conversions by schema object: sessions make their tools anew. */
const schemas = new WeakMap<object, JsonSchema>();

function toJsonSchema(name: string, input: StandardSchemaV1): JsonSchema {
  const known = schemas.get(input);
  if (known) return known;
  if (input instanceof z.ZodType) {
    const schema = z.toJSONSchema(input, { io: "input" }) as JsonSchema;
    schemas.set(input, schema);
    return schema;
  }
  throw new AttuneError(
    "usage",
    `tool "${name}": give its JSON Schema in \`parameters\`; ${input["~standard"].vendor} has no conversion here`,
  );
}

async function checkStandard(schema: StandardSchemaV1, value: JsonObject): Promise<ArgumentCheck> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return { ok: true, value: result.value };
  const issues = result.issues.map(({ path = [], message }) => {
    const where = path.map((part) => (typeof part === "object" ? part.key : part)).join(".");
    return where ? `${where}: ${message}` : message;
  });
  return { ok: false, issues: issues.join("; ") };
}

/** One validator for each schema object: sessions make their tools anew, and compiling is what costs. */
const validators = new WeakMap<object, (value: JsonObject) => ArgumentCheck>();

function checkJsonSchema(name: string, schema: JsonSchema): (value: JsonObject) => ArgumentCheck {
  const known = validators.get(schema);
  if (known) return known;
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  let validate: ReturnType<Ajv["compile"]>;
  try {
    validate = ajv.compile(schema);
  } catch (error) {
    throw new AttuneError(
      "usage",
      `tool "${name}": its input is not a JSON Schema: ${(error as Error).message}`,
    );
  }
  const check = (value: JsonObject): ArgumentCheck =>
    validate(value)
      ? { ok: true, value }
      : { ok: false, issues: ajv.errorsText(validate.errors, { dataVar: "arguments" }) };
  validators.set(schema, check);
  return check;
}
