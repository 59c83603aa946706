import type { Policy, Sample, SampleRequest } from "../spec/policy.ts";

export type Lockstep = {
  /** The policy as one episode sees it. */
  policyFor(episode: number): Policy;
  /** An episode has ended; the next in line takes its place. */
  leave(episode: number): void;
};

/**
 * Makes rollouts independent of timing. A sample that an episode asks for is held until every live episode asks or
 * has ended; then all are handed over in one turn of the event loop, in the order of the episodes. So the policy
 * sees the same sequence of requests whatever the tools took, and the same seeds give the same tokens, bit for bit.
 * The price: the slowest tool of a wave holds up the wave.
 *
 * Episodes 0 to `concurrency` − 1 are live from the beginning, so that no wave leaves before they have all started;
 * each one that leaves makes the next live in the same way. Whoever plays must therefore start every one of them,
 * or abort those that wait.
 */
export function createLockstep(
  policy: Policy,
  { episodes, concurrency }: { episodes: number; concurrency: number },
): Lockstep {
  const live = new Set(Array.from({ length: Math.min(episodes, concurrency) }, (_, episode) => episode));
  const held = new Map<number, () => void>();
  let next = live.size;

  const release = () => {
    if (held.size === 0 || held.size < live.size) return;
    const wave = [...held].sort(([a], [b]) => a - b);
    held.clear();
    for (const [, submit] of wave) submit();
  };

  const hold = (episode: number, request: SampleRequest) =>
    new Promise<Sample[]>((resolve, reject) => {
      const { signal } = request;
      const giveUp = () => {
        held.delete(episode);
        reject(signal!.reason as Error);
      };
      if (signal?.aborted) return giveUp();
      signal?.addEventListener("abort", giveUp, { once: true });
      held.set(episode, () => {
        // an earlier request of this wave may have aborted this one
        if (signal?.aborted) return;
        signal?.removeEventListener("abort", giveUp);
        resolve(sampleFrom(policy, request));
      });
      release();
    });

  return {
    policyFor: (episode) => ({
      name: policy.name,
      version: policy.version,
      tokenizer: policy.tokenizer,
      contextLength: policy.contextLength,
      sample: (request) => hold(episode, request),
    }),
    leave(episode) {
      live.delete(episode);
      if (next < episodes) live.add(next++);
      release();
    },
  };
}

/** Asks at once; a policy that throws instead of rejecting fails its own episode only. */
async function sampleFrom(policy: Policy, request: SampleRequest): Promise<Sample[]> {
  return policy.sample(request);
}
