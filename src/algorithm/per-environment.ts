import type { Algorithm } from "../spec/algorithm.ts";
import { type Credited, whiten } from "./whiten.ts";

/**
 * Wraps an algorithm so that each environment's advantages have the same spread (AgentRL's task advantage
 * normalisation, arXiv 2510.04206): in a mixed batch no environment drowns another by the scale of its rewards.
 */
export function normalizedPerEnvironment(algorithm: Algorithm): Algorithm {
  return {
    ...algorithm,
    name: `${algorithm.name}, per environment`,
    finish(batch) {
      const finished = algorithm.finish?.(batch) ?? batch.map(({ credit }) => credit);
      const credited = batch.map(({ scored }, index) => ({ scored, credit: finished[index]!, index }));
      const result = [...finished];
      for (const own of Map.groupBy(credited, ({ scored }) => scored.environment).values()) {
        for (const [position, credit] of whiten(own satisfies Credited[]).entries())
          result[own[position]!.index] = credit;
      }
      return result;
    },
  };
}
