import { randomUUID } from "node:crypto";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { ToolSpec } from "../../spec/tool.ts";
import { FrameError } from "./frames.ts";
import { hostEpisode } from "./hosted-episode.ts";
import { type HostedSession, hostSession, taskAt } from "./hosted-session.ts";

/** The sessions of a server, never more than it has room for. */
export type HostedSessions = {
  readonly tools: readonly ToolSpec[];
  readonly size: number;
  /** Throws `FrameError` (CAPACITY_REACHED) where there is no room. `onIdle` is told before a silent one is closed. */
  open(onIdle?: () => void): HostedSession;
  get(id: string): HostedSession | undefined;
  /** Gives the room back at once, then closes. */
  close(session: HostedSession): Promise<void>;
  closeAll(): Promise<void>;
};

/**
 * Opens one session of the environment to see its tools, so that a reserved name is refused when the server is loaded
 * and not in the middle of an episode. Throws `AttuneError`.
 */
export async function createHostedSessions(
  environment: Environment,
  { capacity, idleTimeoutMs }: { capacity: number; idleTimeoutMs: number },
): Promise<HostedSessions> {
  const sessions = new Map<string, HostedSession>();
  const tools = await toolsOf(environment);
  let seed = 0;

  const close = async (session: HostedSession) => {
    sessions.delete(session.id);
    await session.close();
  };

  return {
    tools,
    get size() {
      return sessions.size;
    },
    open(onIdle) {
      if (sessions.size >= capacity)
        throw new FrameError("CAPACITY_REACHED", `${sessions.size} of ${capacity} sessions are open`, {
          active_sessions: sessions.size,
          max_sessions: capacity,
        });
      const session = hostSession(environment, {
        id: randomUUID(),
        tools,
        nextSeed: () => seed++,
        idleTimeoutMs,
        onIdle: () => {
          onIdle?.();
          // nobody is left to be told that the world could not be closed
          close(session).catch(() => undefined);
        },
      });
      sessions.set(session.id, session);
      return session;
    },
    get: (id) => sessions.get(id),
    close,
    closeAll: async () => {
      await Promise.allSettled([...sessions.values()].map(close));
    },
  };
}

async function toolsOf(environment: Environment): Promise<readonly ToolSpec[]> {
  const { name } = environment;
  try {
    const task = taskAt(environment, { seed: 0, split: "train", index: 0 });
    const { signal } = new AbortController();
    const episode = await hostEpisode(environment, { id: "load", task, seed: 0, signal });
    await episode.close();
    return episode.tools;
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    const kind = error instanceof FrameError ? "usage" : "environment";
    throw new AttuneError(kind, `OpenEnv server of "${name}": ${(error as Error).message}`, { cause: error });
  }
}
