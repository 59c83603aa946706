import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
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
  /**
   * Returns the observation, which must be a string: what the model reads is decided here, so anything else is taken
   * as the tool's failure and never reaches it. Throw `ToolError` for what the policy did wrong and should be told.
   */
  execute(input: Input, context: ToolContext): string | Promise<string>;
};

/** A tool whose arguments are checked before it runs. Throws `AttuneError` (usage) for a definition that cannot work. */
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
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new AttuneError("usage", `tool "${name}": expected timeoutMs above 0, got ${timeoutMs}`);
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
  const { vendor, jsonSchema } = input["~standard"] as StandardSchemaV1.Props &
    Partial<StandardJSONSchemaV1.Props>;
  if (!jsonSchema) {
    throw new AttuneError(
      "usage",
      `tool "${name}": give its JSON Schema in \`parameters\`; this schema of ${vendor} has none to give`,
    );
  }
  let schema: JsonSchema;
  try {
    schema = jsonSchema.input({ target: "draft-2020-12" });
  } catch (error) {
    throw new AttuneError(
      "usage",
      `tool "${name}": its input has no JSON Schema: ${(error as Error).message}`,
    );
  }
  schemas.set(input, schema);
  return schema;
}

function checkStandard(schema: StandardSchemaV1, value: JsonObject): ArgumentCheck | Promise<ArgumentCheck> {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(toCheck) : toCheck(result);
}

function toCheck(result: StandardSchemaV1.Result<unknown>): ArgumentCheck {
  if (!result.issues) return { ok: true, value: result.value };
  const issues = result.issues.map(({ path = [], message }) => {
    const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return where ? `${where}: ${message}` : message;
  });
  return { ok: false, issues: issues.join("; ") };
}

/** Validators by schema, as text: sessions make their tools anew, and compiling is what costs. */
const validators = new Map<string, (value: JsonObject) => ArgumentCheck>();
const mostValidators = 1000;

function checkJsonSchema(name: string, schema: JsonSchema): (value: JsonObject) => ArgumentCheck {
  const text = JSON.stringify(schema);
  const known = validators.get(text);
  if (known) return known;
  const Dialect = /draft-0[67]/.test(String(schema["$schema"])) ? Ajv : Ajv2020;
  const ajv = new Dialect({ strict: false, allErrors: true, logger: false });
  let validate: ReturnType<typeof ajv.compile>;
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
  if (validators.size >= mostValidators) validators.clear();
  validators.set(text, check);
  return check;
}
