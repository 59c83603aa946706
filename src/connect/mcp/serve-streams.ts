import { randomUUID } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import type { Environment, Split } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import { loadServer, toMcpServer } from "./mcp-server.ts";
import { type ServedResult, serveSession } from "./served-session.ts";

export type ServeStreamsOptions = {
  input: Readable;
  output: Writable;
  split?: Split;
  seed?: number;
  /** Which task of the stream that split and seed give. */
  index?: number;
  answerTool?: string;
  onResult?: (result: ServedResult) => void;
};

/**
 * Serves one episode of an environment by MCP over a pair of streams, in either protocol era: for a client that
 * starts the server as its own process. Resolves when the client has left and the episode is closed.
 */
export async function serveEnvironmentOverStreams(
  environment: Environment,
  {
    input,
    output,
    split = "train",
    seed = 0,
    index = 0,
    answerTool = "submit_answer",
    onResult,
  }: ServeStreamsOptions,
): Promise<void> {
  const { Server } = await loadServer();
  const { serveStdio, StdioServerTransport } = await import("@modelcontextprotocol/server/stdio");
  if (!Number.isInteger(index) || index < 0)
    throw new AttuneError("usage", `MCP server: index: expected a whole number of 0 or more, got ${index}`);
  const choice = { split, seed, index };
  const session = serveSession(environment, { id: randomUUID(), choice, answerTool, onResult });
  const transport = new StdioServerTransport(input, output);
  const ended = new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) input.once(event, () => resolve());
  });
  const served = serveStdio(() => toMcpServer(Server, environment, { session, answerTool }), { transport });
  await ended;
  await served.close();
  await session.close();
}
