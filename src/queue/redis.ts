import type { Redis } from "ioredis";
import { AttuneError } from "../spec/error.ts";

/** The two libraries behind the queue: optional peers, loaded when a queue is used. */
export async function loadQueueLibraries(): Promise<{
  bullmq: typeof import("bullmq");
  ioredis: Pick<typeof import("ioredis"), "Redis">;
}> {
  try {
    const [bullmq, ioredis] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bullmq, ioredis };
  } catch (error) {
    throw new AttuneError(
      "usage",
      "rollout workers need the packages bullmq and ioredis, which are not installed: npm install bullmq ioredis",
      { cause: error },
    );
  }
}

/** Milliseconds that a first connection may take. */
const connectTimeoutMs = 10_000;

/**
 * A connection to Redis that was made once and is made again whenever it is lost. Throws `AttuneError`: `usage` for an
 * address that is none, `io` where nobody answers in ten seconds.
 */
export async function connectRedis(address: string): Promise<Redis> {
  const shown = describeRedis(address);
  const { ioredis } = await loadQueueLibraries();
  let failure = `no answer in ${connectTimeoutMs / 1000} s`;
  const redis = new ioredis.Redis(address, {
    lazyConnect: true,
    // what BullMQ asks for: a command waits for the connection to come back
    maxRetriesPerRequest: null,
    connectTimeout: connectTimeoutMs,
    retryStrategy: (times) => Math.min(2000, 50 * 2 ** times),
  });
  redis.on("error", (error: Error) => {
    failure = error.message || error.name;
  });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(failure)), connectTimeoutMs);
  try {
    await Promise.race([redis.connect(), late.promise]);
    return redis;
  } catch (error) {
    redis.disconnect();
    const said = (error as Error).message === "Connection is closed." ? failure : (error as Error).message;
    throw new AttuneError("io", `redis ${shown}: cannot be reached: ${said.split("\n", 1)[0]}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** The address without its password. Throws `AttuneError` (usage) for one that is not of Redis. */
export function describeRedis(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !["redis:", "rediss:"].includes(url.protocol))
    throw new AttuneError(
      "usage",
      `redis: expected an address like redis://127.0.0.1:6379, got ${JSON.stringify(address.slice(0, 20))}`,
    );
  return `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}`;
}

/** All keys of Attune's queues begin with it. */
export const keyPrefix = "attune";

/** Throws `AttuneError` (usage) for a name that cannot be part of a key. */
export function checkQueueName(name: string): string {
  if (!/^[\w.-]{1,100}$/.test(name))
    throw new AttuneError(
      "usage",
      `queue: expected a name of letters, digits, . _ -, got ${JSON.stringify(name)}`,
    );
  return name;
}
