import type { Environment, Session } from "../spec/environment.ts";

/** Sessions of a watched environment, counted as they open and close. */
export type SessionCount = {
  opened: number;
  closed: number;
  /** Sessions that were closed a second time. */
  closedAgain: number;
  /** Starts that gave a session which had been given before. */
  reused: number;
};

/** The same environment, with its sessions counted. */
export function watchSessions(environment: Environment): { watched: Environment; count: SessionCount } {
  const count: SessionCount = { opened: 0, closed: 0, closedAgain: 0, reused: 0 };
  const seen = new WeakSet<Session>();
  const watched: Environment = {
    ...environment,
    async start(task, context) {
      const session = await environment.start(task, context);
      if (seen.has(session)) count.reused++;
      seen.add(session);
      count.opened++;
      let closed = false;
      return {
        messages: session.messages,
        tools: session.tools,
        ...(session.respond && { respond: (message) => session.respond!(message) }),
        ...(session.outcome && { outcome: () => session.outcome!() }),
        async close() {
          if (closed) count.closedAgain++;
          else count.closed++;
          closed = true;
          await session.close?.();
        },
      };
    },
  };
  return { watched, count };
}
