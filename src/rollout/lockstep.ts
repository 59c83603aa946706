import type { Policy, Sample, SampleRequest } from "../spec/policy.ts";

/**
 * Makes rollouts independent of timing. A sample that an episode asks for is held until every live episode asks or
 * has ended; then all are handed over in one turn of the event loop, in the order of the episodes. So the policy
 * sees the same sequence of requests whatever the tools took, and the same seeds give the same tokens, bit for bit.
 * The price: the slowest tool of a wave holds up the wave.
 */
export function createLockstep(
  policy: Policy,
  { episodes, concurrency }: { episodes: number; concurrency: number },
) {
  type Held = { episode: number; request: SampleRequest; resolve(samples: Promise<Sample[]>): void };
  const held = new Map<number, Held>();
  // an episode is live before it is started, so that a wave cannot leave without it
  const live = new Set(Array.from({ length: Math.min(episodes, concurrency) }, (_, episode) => episode));
  let next = live.size;

  const release = () => {
    if (held.size === 0 || held.size < live.size) return;
    const wave = [...held.values()].sort((a, b) => a.episode - b.episode);
    held.clear();
    for (const { request, resolve } of wave) resolve(policy.sample(request));
  };

  return {
    /** The policy as one episode sees it. */
    policyFor: (episode: number): Policy => ({
      ...policy,
      sample: (request) =>
        new Promise((resolve, reject) => {
          if (request.signal?.aborted) return reject(request.signal.reason as Error);
          held.set(episode, { episode, request, resolve });
          request.signal?.addEventListener(
            "abort",
            () => held.delete(episode) && reject(request.signal!.reason as Error),
            { once: true },
          );
          release();
          return undefined;
        }),
    }),
    /** An episode has ended; the next in line takes its place. */
    leave(episode: number): void {
      live.delete(episode);
      if (next < episodes) live.add(next++);
      release();
    },
  };
}
