import type { Environment, Session } from "../spec/environment.ts";
import type { Tool } from "../spec/tool.ts";

/** Sessions of a watched environment, counted as they open and close. */
export type SessionCount = {
  opened: number;
  /** Sessions whose closing came to its end. */
  closed: number;
  /** Starts that gave no session. */
  failedStarts: number;
  /** Sessions that were closed a second time. */
  closedAgain: number;
  /** Starts that gave a session which had been given before. */
  reused: number;
};

export type WatchedSessions = {
  /** The same environment, with its sessions counted. */
  watched: Environment;
  count: SessionCount;
  /** Sessions that are open, by the tools that were called in them. */
  openByTool(): Record<string, number>;
};

/** Watches the sessions of an environment. */
export function watchSessions(environment: Environment): WatchedSessions {
  const count: SessionCount = { opened: 0, closed: 0, failedStarts: 0, closedAgain: 0, reused: 0 };
  const seen = new WeakSet<Session>();
  const open = new Set<ReadonlySet<string>>();
  const watched: Environment = {
    ...environment,
    async start(task, context) {
      let session: Session;
      try {
        session = await environment.start(task, context);
      } catch (error) {
        count.failedStarts++;
        throw error;
      }
      if (seen.has(session)) count.reused++;
      seen.add(session);
      count.opened++;
      const called = new Set<string>();
      open.add(called);
      let closing = false;
      return {
        messages: session.messages,
        // a session without tools to show is the rollout's to refuse
        tools: Array.isArray(session.tools)
          ? session.tools.map((tool) => noting(tool, called))
          : session.tools,
        ...(session.respond && { respond: (message) => session.respond!(message) }),
        ...(session.ended && { ended: () => session.ended!() }),
        ...(session.outcome && { outcome: () => session.outcome!() }),
        async close() {
          if (closing) count.closedAgain++;
          const first = !closing;
          closing = true;
          await session.close?.();
          if (!first) return;
          count.closed++;
          open.delete(called);
        },
      };
    },
  };
  const openByTool = () => {
    const counts: Record<string, number> = {};
    for (const name of [...open].flatMap((called) => [...called])) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  return { watched, count, openByTool };
}

const noting = (tool: Tool, called: Set<string>): Tool => ({
  name: tool.name,
  description: tool.description,
  parameters: tool.parameters,
  ...(tool.timeoutMs !== undefined && { timeoutMs: tool.timeoutMs }),
  check: (input) => tool.check(input),
  execute(value, context) {
    called.add(tool.name);
    return tool.execute(value, context);
  },
});
