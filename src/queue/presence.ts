import type { Redis } from "ioredis";
import { z } from "zod";
import { keyPrefix } from "./redis.ts";

const workerSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.number(),
  slots: z.number().int().positive(),
});

/** A worker as it says of itself with every beat. */
export type WorkerCard = z.infer<typeof workerSchema>;

/**
 * Who is there: workers and plays each hold a key that expires unless it is renewed, so that one that dies or hangs
 * is gone by itself.
 */
export type Presence = {
  /** Says that a worker is alive, for so many milliseconds. */
  beat(card: WorkerCard, lifeMs: number): Promise<void>;
  leave(id: string): Promise<void>;
  alive(): Promise<WorkerCard[]>;
  /** Says that somebody waits for the episodes of a play, for so many milliseconds. */
  hold(play: string, lifeMs: number): Promise<void>;
  letGo(play: string): Promise<void>;
  /** Those of the plays that somebody waits for. */
  held(plays: readonly string[]): Promise<Set<string>>;
};

export function presenceOf(redis: Redis, queue: string): Presence {
  const base = `${keyPrefix}:${queue}`;
  const everyone = `${base}:alive`;
  const cardOf = (id: string) => `${base}:alive:${id}`;
  const playOf = (play: string) => `${base}:play:${play}`;
  return {
    async beat(card, lifeMs) {
      await redis.sadd(everyone, card.id);
      await redis.set(cardOf(card.id), JSON.stringify(card), "PX", lifeMs);
    },
    async leave(id) {
      await redis.del(cardOf(id));
      await redis.srem(everyone, id);
    },
    async alive() {
      const ids = await redis.smembers(everyone);
      if (ids.length === 0) return [];
      const texts = await redis.mget(ids.map(cardOf));
      const gone = ids.filter((_, index) => !texts[index]);
      if (gone.length > 0) await redis.srem(everyone, ...gone);
      return texts.flatMap((text) => {
        const parsed = workerSchema.safeParse(text && JSON.parse(text));
        return parsed.success ? [parsed.data] : [];
      });
    },
    async hold(play, lifeMs) {
      await redis.set(playOf(play), "1", "PX", lifeMs);
    },
    async letGo(play) {
      await redis.del(playOf(play));
    },
    async held(plays) {
      if (plays.length === 0) return new Set();
      const found = await redis.mget(plays.map(playOf));
      return new Set(plays.filter((_, index) => found[index] !== null));
    },
  };
}
