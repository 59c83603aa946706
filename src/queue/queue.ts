import type { RolloutDriverFactory } from "../rollout/driver.ts";
import { openDispatcher } from "./dispatcher.ts";
import { checkQueueName, describeRedis } from "./redis.ts";

export type QueueOptions = {
  /** `redis://…` */
  redis: string;
  /** Name of the queue; that of the run's config when absent. Workers are given the same. */
  queue?: string;
  /** The address of this machine at which workers reach the policy; 127.0.0.1 when absent, for workers beside it. */
  host?: string;
  /** The port there; a free one when absent. */
  port?: number;
  /** How often an episode is tried whose playing fails for another reason than its world; 4 when absent. */
  attempts?: number;
  /** Milliseconds without a living worker after which the run stops; ten minutes when absent. */
  patienceMs?: number;
};

/**
 * Has a run's episodes played by `attune worker` processes, on any host that reaches Redis and this machine. Throws
 * `AttuneError` (usage) for an address that is none.
 */
export function queue(options: QueueOptions): RolloutDriverFactory {
  describeRedis(options.redis);
  if (options.queue !== undefined) checkQueueName(options.queue);
  return {
    name: "queue",
    open: ({ name, ...context }) => openDispatcher({ ...context, ...options, queue: options.queue ?? name }),
  };
}
