import { defineEnvironment } from "../../environment/define-environment.ts";
import { deriveSeed } from "../../kit/random.ts";
import type { Environment, Session, Split, StartContext } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { withRetry } from "../retry.ts";
import { type Channel, LostError, NoWebSocketError, type Server, toServerUrl } from "./channel.ts";
import { FrameError, type StepResult } from "./frames.ts";
import { openHttpChannel } from "./http-channel.ts";
import { remoteRewards } from "./remote-rewards.ts";
import { fromServer, type Moves, remoteSession } from "./remote-session.ts";
import { checkResets, type ResetInput, resetTasks } from "./reset-tasks.ts";
import { readServerSchema } from "./server-schema.ts";
import { createSlots } from "./slots.ts";
import { openSocketChannel } from "./socket-channel.ts";

export type OpenEnvOptions = {
  /** Of the server: http, https, ws or wss. */
  url: string;
  key?: string;
  /** The environment's name here; the server's own by default. */
  name?: string;
  /** `auto` takes the server's own tools where its actions are tool calls, else one tool `step`. */
  tools?: Moves | "auto";
  /** Makes an action of a message without tool calls, for worlds that are spoken to. */
  answer?: (text: string) => JsonObject;
  observe?: (observation: JsonObject) => string;
  instructions?: string;
  /** What the resets ask for, split by split. Absent: seeds, of which a fifth is held out. */
  resets?: Record<Split, readonly JsonObject[]>;
  /** What counts of the rewards that observations carry: all of them, or the last one. */
  total?: "sum" | "last";
  transport?: "auto" | "websocket" | "http";
  /** Sessions that are open at a time; over HTTP always one. */
  sessions?: number;
  /** Further tries where a server cannot be reached or is full. */
  retries?: number;
  connectTimeoutMs?: number;
  messageTimeoutMs?: number;
  /** Milliseconds to wait for one of `sessions` to become free. */
  waitTimeoutMs?: number;
  maxMessageBytes?: number;
  signal?: AbortSignal;
};

/**
 * The environment that an OpenEnv server holds (huggingface/OpenEnv). Its schema is read now, a session is opened for
 * every attempt. Everything that goes wrong between here and there is the world's failure; an action that the server
 * finds invalid is the policy's. Throws `AttuneError`: `usage` for options, `environment` for the server.
 */
export async function openEnv({
  url,
  key,
  name,
  tools = "auto",
  answer,
  observe,
  instructions,
  resets,
  total = "sum",
  transport = "auto",
  sessions = Number.POSITIVE_INFINITY,
  retries = 5,
  connectTimeoutMs = 10_000,
  messageTimeoutMs = 60_000,
  waitTimeoutMs = 60_000,
  maxMessageBytes = 16 << 20,
  signal = new AbortController().signal,
}: OpenEnvOptions): Promise<Environment> {
  if (!(sessions >= 1))
    throw new AttuneError("usage", `openEnv: sessions: expected 1 or more, got ${sessions}`);
  const server: Server = { url: toServerUrl(url), key, connectTimeoutMs, messageTimeoutMs, maxMessageBytes };
  const schema = await withRetry(() => readServerSchema(server, signal), {
    retries,
    seed: deriveSeed("openenv", server.url),
    signal,
    mayRetry: (error) => error instanceof LostError,
  });
  const moves = tools === "auto" ? (schema.takesToolCalls ? "mcp" : "step") : tools;
  const speak = answer ?? (schema.takesMessages ? toMessageAction : undefined);
  if (moves === "none" && !speak)
    throw new AttuneError("usage", 'openEnv: tools "none" needs `answer`, or the agent could do nothing');
  if (resets) checkResets(resets);
  const environmentName = name ?? toName(schema.name);
  const connections = createSlots(sessions);
  const alone = createSlots(1);
  let onHttp = transport === "http";

  /** Opens a channel and resets it. Until the reset is answered nothing has happened, so it may be tried again. */
  const begin = (reset: JsonObject, { seed, signal, http }: StartContext & { http: boolean }) =>
    withRetry(
      async (): Promise<{ channel: Channel; first: StepResult }> => {
        const channel = http ? openHttpChannel(server) : await openSocketChannel(server, signal);
        try {
          return { channel, first: await channel.reset(reset, signal) };
        } catch (error) {
          await channel.close();
          throw error;
        }
      },
      { retries, seed, signal, mayRetry: isUnavailable },
    );

  const open = async (reset: JsonObject, context: StartContext): Promise<Session> => {
    const http = onHttp;
    const slots = http ? alone : connections;
    const release = await slots.take({ signal: context.signal, timeoutMs: waitTimeoutMs });
    let channel: Channel | undefined;
    try {
      const begun = await begin(reset, { ...context, http });
      channel = begun.channel;
      return await remoteSession(channel, {
        server,
        schema,
        moves,
        answer: speak,
        observe,
        instructions,
        first: begun.first,
        signal: context.signal,
        release,
      });
    } catch (error) {
      await channel?.close();
      release();
      context.signal.throwIfAborted();
      throw fromServer(server, error, { policysDoing: false });
    }
  };

  return defineEnvironment<ResetInput>({
    name: environmentName,
    description: schema.description ?? `The OpenEnv server at ${server.url}.`,
    tasks: (query) => resetTasks({ ...query, environment: environmentName, resets }),
    start: async ({ input }, context) => {
      try {
        return await open(input.reset, context);
      } catch (error) {
        if (transport !== "auto" || !(error instanceof NoWebSocketError)) throw error;
        onHttp = true;
        return open(input.reset, context);
      }
    },
    rewards: remoteRewards(schema.components, total),
  });
}

const isUnavailable = (error: unknown) =>
  error instanceof LostError || (error instanceof FrameError && error.code === "CAPACITY_REACHED");

const toMessageAction = (content: string): JsonObject => ({ type: "message", content });

/** A server's name for its environment, in the letters that ours are written with. */
function toName(given: string | undefined): string {
  const letters = (given ?? "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return letters.replace(/^-+|-+$/g, "") || "openenv";
}
