import { z } from "zod";
import type { JsonSchema } from "../../spec/json.ts";
import { broken, type Server } from "./channel.ts";
import { issuesOf } from "./frames.ts";
import { requestServer } from "./http-channel.ts";

const record = z.record(z.string(), z.unknown());

const schemaSchema = z.looseObject({ action: record, observation: record.default({}) });

const metadataSchema = z.looseObject({ name: z.string().min(1), description: z.string().nullish() });

const toolSchema = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  input_schema: record.optional(),
  inputSchema: record.optional(),
});

const toolsSchema = z.looseObject({ tools: z.array(toolSchema) });

/** What a server says about itself before a session is opened. */
export type ServerSchema = {
  /** Absent where the server does not say. */
  name?: string;
  description?: string;
  /** What one step takes, or undefined where that is not said. */
  action: JsonSchema | undefined;
  /** The server takes call_tool in a step. */
  takesToolCalls: boolean;
  /** The server takes a message without a tool call in a step, as ours does. */
  takesMessages: boolean;
  /** Components of the reward that observations name. */
  components: string[];
};

/** Reads /schema and /metadata; a server without them (404) is taken as it comes. */
export async function readServerSchema(server: Server, signal: AbortSignal): Promise<ServerSchema> {
  const schema = await read(server, "/schema", { schema: schemaSchema, signal });
  const metadata = await read(server, "/metadata", { schema: metadataSchema, signal });
  const variants = schema ? variantsOf(schema.action) : [];
  return {
    ...(metadata && { name: metadata.name }),
    ...(metadata?.description && { description: metadata.description }),
    action: schema && withoutMetadata(schema.action),
    takesToolCalls: variants.some((variant) => isBase(variant) || "tool_name" in propertiesOf(variant)),
    takesMessages: variants.some((variant) => {
      const { type, content } = propertiesOf(variant);
      return content !== undefined && (type as { const?: unknown } | undefined)?.const === "message";
    }),
    components: schema ? Object.keys(propertiesOf(propertiesOf(schema.observation)["rewards"])) : [],
  };
}

/** The tools in a `list_tools` observation; undefined where it is no such observation. */
export function toolsIn(observation: Record<string, unknown>) {
  const result = toolsSchema.safeParse(observation);
  if (!result.success) return undefined;
  return result.data.tools.map(({ name, description, input_schema, inputSchema }) => ({
    name,
    description: description ?? "",
    input: { type: "object", ...(input_schema ?? inputSchema) } as JsonSchema,
  }));
}

async function read<Value>(
  server: Server,
  path: string,
  { schema, signal }: { schema: z.ZodType<Value>; signal: AbortSignal },
): Promise<Value | undefined> {
  const { status, value } = await requestServer(server, path, { signal });
  if (status === 404 || status === 405) return undefined;
  if (status >= 400) throw broken(server, `${path}: got HTTP status ${status}`);
  const result = schema.safeParse(value);
  if (!result.success) throw broken(server, `${path}: ${issuesOf(result.error)}`);
  return result.data;
}

/** The action's shapes: itself, or the members of its union. */
function variantsOf(action: JsonSchema): JsonSchema[] {
  const members = [action["oneOf"], action["anyOf"]].flatMap((list) => (Array.isArray(list) ? list : []));
  const definitions = (action["$defs"] ?? {}) as Record<string, JsonSchema>;
  const resolved = members.map((member: JsonSchema) => {
    const [, name] = /^#\/\$defs\/(.+)$/.exec(String(member["$ref"])) ?? [];
    return (name && definitions[name]) || member;
  });
  return resolved.length > 0 ? resolved : [action];
}

/** The protocol's own action class, which stands for list_tools and call_tool. */
const isBase = (variant: JsonSchema) =>
  variant["title"] === "Action" && Object.keys(propertiesOf(variant)).every((name) => name === "metadata");

function propertiesOf(schema: unknown): Record<string, unknown> {
  const { properties } = (schema ?? {}) as { properties?: unknown };
  return typeof properties === "object" && properties !== null ? (properties as Record<string, unknown>) : {};
}

/** Metadata of an action are for whoever drives the world, so the agent is not asked for them. */
function withoutMetadata(action: JsonSchema): JsonSchema {
  const { metadata: _, ...properties } = propertiesOf(action);
  const required = Array.isArray(action["required"])
    ? action["required"].filter((name) => name !== "metadata")
    : undefined;
  return {
    type: "object",
    ...action,
    ...("properties" in action && { properties }),
    ...(required && { required }),
  };
}
