import type { Client, ConnectOptions, PriorDiscovery, Transport } from "@modelcontextprotocol/client";
import { AttuneError } from "../../spec/error.ts";

/** A server to be started as a process that speaks over its standard streams, or one that listens already. */
export type McpServerAddress =
  | {
      command: string;
      args?: readonly string[];
      /** Beside the few variables a process is given anyway (PATH, HOME and their like). */
      env?: Record<string, string>;
      cwd?: string;
    }
  | { url: string; headers?: Record<string, string> };

export type McpConnection = {
  client: Client;
  /** One line on what went wrong, with the last words of a process that ended. */
  described(error: unknown): string;
  /** Ends the session and the process. Any number of times; done once. */
  close(): Promise<void>;
};

const clientInfo = { name: "attune", version: "1" };
/** Milliseconds a server that is being left may take to end the session. */
const goodbyeTimeoutMs = 1000;
const lastWordsCharacters = 2000;

/**
 * What each server was found to speak. Finding out costs a process or a round trip, and sessions are many; what is
 * found holds as long as this process lives.
 */
const found = new Map<string, PriorDiscovery>();
const mostFound = 100;

/**
 * Connects to an MCP server in the protocol era it speaks: that of 2026-07-28, or the earlier one of `initialize`.
 * Throws `AttuneError`: `usage` for an address that is none, `environment` where nobody answers.
 */
export async function connect(
  address: McpServerAddress,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<McpConnection> {
  const { Client, transport, goodbye, abandon, lastWords } = await transportTo(address);
  const client = new Client(clientInfo, {
    versionNegotiation: { mode: "auto", probe: { timeoutMs } },
    // what a tool gives back is shown as it is, also where its own schema would not have it
    jsonSchemaValidator: {
      getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
    },
  });
  const described = (error: unknown) => {
    const { message, cause } = error as Error;
    const reason = message === "fetch failed" && cause instanceof Error ? cause.message : message;
    return [reason.split("\n", 1)[0], lastWords()].filter(Boolean).join("; it said: ");
  };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      await goodbye().catch(() => undefined);
      await client.close();
      // a connection that never came about is not the client's to close
      await transport.close();
    })();
    return closing;
  };

  const key = JSON.stringify(address);
  const prior = found.get(key);
  const options: ConnectOptions = { timeout: timeoutMs, signal, ...(prior && { prior }) };
  // while it finds out what the server speaks the client looks at no signal, but it notices this
  const giveUp = () => {
    abandon();
    void transport.close().catch(() => undefined);
  };
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect(transport, options);
    signal.throwIfAborted();
  } catch (error) {
    found.delete(key);
    abandon();
    await close().catch(() => undefined);
    signal.throwIfAborted();
    throw new AttuneError("environment", `MCP server ${nameOf(address)}: ${described(error)}`, {
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  if (!prior) {
    if (found.size >= mostFound) found.clear();
    const discover = client.getDiscoverResult();
    found.set(key, discover ? { kind: "modern", discover } : { kind: "legacy" });
  }
  return { client, described, close };
}

export const nameOf = (address: McpServerAddress): string =>
  "url" in address ? address.url : `"${[address.command, ...(address.args ?? [])].join(" ")}"`;

async function transportTo(address: McpServerAddress): Promise<{
  Client: typeof Client;
  transport: Transport;
  /** Tells the server that the session is over, where there is a way to. */
  goodbye(): Promise<void>;
  /** Ends a process that nobody will talk to. */
  abandon(): void;
  /** What the process wrote to its error stream at last. */
  lastWords(): string;
}> {
  const { Client, StreamableHTTPClientTransport, StdioClientTransport } = await load();
  if ("url" in address) {
    const { url, headers } = address;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new AttuneError("usage", `mcpTools: url: got "${url}", expected an http or https address`);
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      ...(headers && { requestInit: { headers } }),
      reconnectionOptions: {
        initialReconnectionDelay: 500,
        maxReconnectionDelay: 5000,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 2,
      },
    });
    const goodbye = async () => {
      const late = new Promise<void>((resolve) => {
        setTimeout(resolve, goodbyeTimeoutMs).unref();
      });
      if (transport.sessionId !== undefined) await Promise.race([transport.terminateSession(), late]);
    };
    return {
      Client,
      transport: transport as Transport,
      goodbye,
      abandon: () => undefined,
      lastWords: () => "",
    };
  }
  const { command, args = [], env, cwd } = address;
  if (command === "") throw new AttuneError("usage", "mcpTools: command: got none, expected a program");
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    stderr: "pipe",
  });
  // a client that gives up lets its process go before it has ended, and does not wait for it
  let pid: number | null = null;
  const start = transport.start.bind(transport);
  transport.start = async () => {
    await start();
    pid = transport.pid;
  };
  let words = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString("utf8")).slice(-lastWordsCharacters);
  });
  return {
    Client,
    transport,
    goodbye: async () => undefined,
    abandon() {
      try {
        if (pid !== null) process.kill(pid);
      } catch {
        // it has ended by itself
      }
    },
    lastWords: () => words.trim().split("\n").at(-1) ?? "",
  };
}

/** The client is an optional dependency: it is looked for when it is needed. */
async function load() {
  try {
    const [{ Client, StreamableHTTPClientTransport }, { StdioClientTransport }] = await Promise.all([
      import("@modelcontextprotocol/client"),
      import("@modelcontextprotocol/client/stdio"),
    ]);
    return { Client, StreamableHTTPClientTransport, StdioClientTransport };
  } catch (cause) {
    throw new AttuneError("usage", "mcpTools needs the package @modelcontextprotocol/client: install it", {
      cause,
    });
  }
}
