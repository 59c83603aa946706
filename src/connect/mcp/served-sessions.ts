import { AttuneError } from "../../spec/error.ts";
import type { ServedSession } from "./served-session.ts";

/** A session's place at the server: what answers its requests, and how it is ended. */
export type Place<Held> = {
  readonly session: ServedSession;
  readonly held: Held;
  /** Keeps the place from falling idle while a request is answered. */
  busy<Result>(work: () => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
};

/** Places for sessions by id, never more than there is room for; a silent one is closed. */
export type ServedSessions<Held> = {
  readonly size: number;
  get(id: string): Place<Held> | undefined;
  /** Throws `AttuneError` (environment) where there is no room. */
  open(session: ServedSession, held: { value: Held; close(): Promise<void> }): Place<Held>;
  refuseIfFull(): void;
  closeAll(): Promise<void>;
};

export function createServedSessions<Held>({
  capacity,
  idleTimeoutMs,
}: {
  capacity: number;
  idleTimeoutMs: number;
}): ServedSessions<Held> {
  const places = new Map<string, Place<Held>>();

  const refuseIfFull = () => {
    if (places.size >= capacity)
      throw new AttuneError("environment", `no room: ${places.size} of ${capacity} sessions are open`);
  };

  return {
    get size() {
      return places.size;
    },
    get: (id) => places.get(id),
    refuseIfFull,
    open(session, held) {
      refuseIfFull();
      let closing: Promise<void> | undefined;
      let idle: NodeJS.Timeout | undefined;
      let requests = 0;
      const rest = () => {
        clearTimeout(idle);
        if (requests > 0 || closing) return;
        // nobody is left to be told that the world could not be closed
        idle = setTimeout(() => void place.close().catch(() => undefined), idleTimeoutMs).unref();
      };
      const place: Place<Held> = {
        session,
        held: held.value,
        async busy(work) {
          requests++;
          rest();
          try {
            return await work();
          } finally {
            requests--;
            rest();
          }
        },
        close() {
          closing ??= (async () => {
            clearTimeout(idle);
            places.delete(session.id);
            await Promise.allSettled([held.close(), session.close()]);
          })();
          return closing;
        },
      };
      places.set(session.id, place);
      rest();
      return place;
    },
    async closeAll() {
      await Promise.allSettled([...places.values()].map((place) => place.close()));
    },
  };
}
