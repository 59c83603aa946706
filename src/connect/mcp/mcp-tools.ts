import type { Client } from "@modelcontextprotocol/client";
import { tool } from "../../environment/tool.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject, JsonSchema } from "../../spec/json.ts";
import { type Tool, ToolError } from "../../spec/tool.ts";
import { connect, type McpConnection, type McpServerAddress, nameOf } from "./connection.ts";
import { toText } from "./tool-result.ts";

export type McpToolsOptions = {
  /** Put before every tool's name; a server's names are refused where they cannot be used as they are. */
  prefix?: string;
  /** Names of the server's tools to offer, in this order; all when absent. */
  only?: readonly string[];
  /** Names that no tool may have, for what drives the environment has them for itself. */
  reserved?: readonly string[];
  /** Milliseconds one call may take. */
  timeoutMs?: number;
  /** Milliseconds that starting, connecting and listing tools may take, each. */
  connectTimeoutMs?: number;
  signal?: AbortSignal;
};

/** A connection to an MCP server, its tools made an environment's. */
export type McpTools = {
  tools: Tool[];
  /** What the server says on how it is to be used. */
  instructions: string | undefined;
  server: { name: string; version: string } | undefined;
  /** For example 2025-11-25. */
  protocolVersion: string | undefined;
  /** Ends the session and, where it was started here, the process. Any number of times; done once. */
  close(): Promise<void>;
};

const reservedNames = ["reset", "step", "state", "close"];
/** What a timer can hold: the signal decides. */
const longestTimerMs = 2 ** 31 - 1;
/** Milliseconds by which the rollout's own limit, which knows a timeout for one, comes first. */
const graceMs = 500;
const invalidParams = -32602;

/**
 * The tools of an MCP server: a process (`command`) or an address (`url`). For a session's `start`; give its `close`
 * to the session. Throws `AttuneError`: `environment` where the server fails, `usage` for names that cannot be used.
 */
export async function mcpTools(
  address: McpServerAddress,
  {
    prefix = "",
    only,
    reserved = reservedNames,
    timeoutMs,
    connectTimeoutMs = 30_000,
    signal = new AbortController().signal,
  }: McpToolsOptions = {},
): Promise<McpTools> {
  const where = `MCP server ${nameOf(address)}`;
  const connection = await connect(address, { timeoutMs: connectTimeoutMs, signal });
  const { client, close } = connection;
  try {
    const listed = pick(await list(connection, { where, timeoutMs: connectTimeoutMs, signal }), {
      only,
      where,
    });
    const names = listed.map(({ name }) => `${prefix}${name}`);
    refuseNames(names, { reserved, where });
    const tools = listed.map((spec, index) =>
      toTool(spec, { name: names[index]!, connection, where, timeoutMs }),
    );
    return {
      tools,
      instructions: client.getInstructions(),
      server: client.getServerVersion(),
      protocolVersion: client.getNegotiatedProtocolVersion(),
      close,
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

type Listed = Awaited<ReturnType<Client["listTools"]>>["tools"][number];

async function list(
  { client, described }: McpConnection,
  { where, timeoutMs, signal }: { where: string; timeoutMs: number; signal: AbortSignal },
): Promise<Listed[]> {
  try {
    return (await client.listTools(undefined, { timeout: timeoutMs, signal })).tools;
  } catch (error) {
    signal.throwIfAborted();
    throw new AttuneError("environment", `${where}: its tools cannot be listed: ${described(error)}`, {
      cause: error,
    });
  }
}

function pick(
  listed: Listed[],
  { only, where }: { only: readonly string[] | undefined; where: string },
): Listed[] {
  return (
    only?.map((name) => {
      const found = listed.find((tool) => tool.name === name);
      if (found) return found;
      const names = listed.map((tool) => tool.name).join(", ") || "none";
      throw new AttuneError("usage", `${where}: only: there is no tool "${name}"; there are ${names}`);
    }) ?? listed
  );
}

function refuseNames(
  names: readonly string[],
  { reserved, where }: { reserved: readonly string[]; where: string },
): void {
  const refuse = (name: string, why: string): never => {
    throw new AttuneError(
      "usage",
      `${where}: its tool "${name}" ${why}: give a \`prefix\`, or leave it out of \`only\``,
    );
  };
  for (const [index, name] of names.entries()) {
    if (reserved.includes(name)) refuse(name, "has a reserved name");
    if (names.indexOf(name) !== index) refuse(name, "is there twice");
  }
}

function toTool(
  { name: theirs, title, description, inputSchema }: Listed,
  {
    name,
    connection: { client, described },
    where,
    timeoutMs,
  }: { name: string; connection: McpConnection; where: string; timeoutMs: number | undefined },
): Tool {
  return tool<JsonObject>({
    // the protocol allows a few characters more than model providers do
    name: name.replaceAll(/[./]/g, "_"),
    description: description ?? title ?? theirs,
    input: inputSchema as JsonSchema,
    ...(timeoutMs !== undefined && { timeoutMs }),
    async execute(given, { signal }) {
      const timeout = timeoutMs === undefined ? longestTimerMs : timeoutMs + graceMs;
      let result: Awaited<ReturnType<Client["callTool"]>>;
      try {
        result = await client.callTool({ name: theirs, arguments: given }, { signal, timeout });
      } catch (error) {
        signal.throwIfAborted();
        if ((error as { code?: unknown }).code === invalidParams) throw new ToolError(described(error));
        throw new AttuneError("environment", `${where}: tool "${theirs}": ${described(error)}`, {
          cause: error,
        });
      }
      const text = toText(result as Parameters<typeof toText>[0]);
      if (result.isError) throw new ToolError(text);
      return text;
    },
  });
}
