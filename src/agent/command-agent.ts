import { spawn } from "node:child_process";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createDialectApp } from "../gateway/app.ts";
import type { Conversation } from "../gateway/conversation.ts";
import { Refused } from "../gateway/refused.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import type { AgentContext, AgentResult } from "./define-agent.ts";

export type CommandAgentOptions<Input extends Json> = {
  /** The program and its arguments. */
  command: readonly [string, ...string[]];
  /** The program's environment; nothing is passed on unsaid. What is said of the model is added to it. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** What the program reads on standard input; the task's input when absent, as it is or as JSON. */
  input?(input: Input): string;
  /** Characters of its output that are read. */
  mostCharacters?: number;
};

/**
 * A program as an agent, in any language: it is started for each episode, reads the task on standard input, finds its
 * model at `OPENAI_BASE_URL` or `ANTHROPIC_BASE_URL` (an address of its own on loopback, with a key that opens that
 * one alone), and prints its answer. An exit code that is not 0 is an error of the agent. It is killed with its
 * episode.
 */
export function commandAgent<Input extends Json>({
  command: [program, ...given],
  env = {},
  cwd,
  input = toText,
  mostCharacters = 1_000_000,
}: CommandAgentOptions<Input>): (context: AgentContext<Input>) => Promise<AgentResult> {
  return async ({ input: task, conversation, seed, signal }) => {
    const { url, close } = await address(conversation);
    try {
      const child = spawn(program, given, {
        ...(cwd !== undefined && { cwd }),
        env: {
          ...env,
          OPENAI_BASE_URL: `${url}/v1`,
          OPENAI_API_KEY: "-",
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_API_KEY: "-",
          ATTUNE_SEED: String(seed),
        },
        signal,
        killSignal: "SIGKILL",
        stdio: ["pipe", "pipe", "pipe"],
      });
      const ended = new Promise<number | null>((resolve, reject) => {
        child.once("error", (error) =>
          reject(new AttuneError("environment", `${program}: ${error.message}`, { cause: error })),
        );
        child.once("close", resolve);
      });
      // a program may end before it has read everything
      child.stdin.on("error", () => {});
      child.stdin.end(input(task));
      const output = collect(child.stdout, mostCharacters);
      const complaint = collect(child.stderr, mostCharacters);
      const code = await ended;
      if (code !== 0) {
        const last = complaint().trim().split("\n").at(-1) ?? "";
        throw new AttuneError("environment", `${program} ended with ${code}${last && `: ${last}`}`);
      }
      return output().trim();
    } finally {
      await close();
    }
  };
}

const toText = (input: Json) => (typeof input === "string" ? input : JSON.stringify(input));

function collect(stream: NodeJS.ReadableStream, most: number): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    if (text.length < most) text += chunk.slice(0, most - text.length);
  });
  return () => text;
}

/** A conversation behind an address of its own, for as long as one program runs. */
async function address(conversation: Conversation): Promise<{ url: string; close(): Promise<void> }> {
  const secret = crypto.randomUUID();
  const app = createDialectApp({
    now: () => new Date(),
    conversationFor({ trajectory }) {
      if (trajectory !== secret) throw new Refused(404, "there is no such episode");
      return conversation;
    },
  });
  const server = await new Promise<Server>((resolve, reject) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(made as Server));
    made.once("error", reject);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/t/${secret}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
