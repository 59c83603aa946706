import type { Random } from "../kit/random.ts";
import type { SamplingParams } from "../spec/policy.ts";

/** Draws one token at a time from logits; holds scratch space for one vocabulary. */
export function createDraw(vocabularySize: number) {
  const odds = new Float64Array(vocabularySize);

  /**
   * The token that `random` picks under `params`, and its log-probability under the untempered, untruncated
   * distribution. `logits` holds the row's vocabulary from `offset`.
   */
  return (
    logits: Float32Array,
    offset: number,
    params: SamplingParams,
    random: Random,
  ): { token: number; logprob: number } => {
    let best = 0;
    for (let id = 1; id < vocabularySize; id++) if (logits[offset + id]! > logits[offset + best]!) best = id;
    const top = logits[offset + best]!;
    let total = 0;
    for (let id = 0; id < vocabularySize; id++) {
      const odd = Math.exp(logits[offset + id]! - top);
      odds[id] = odd;
      total += odd;
    }
    const logTotal = Math.log(total);
    const { temperature } = params;
    let token = best;
    if (temperature > 0) {
      if (temperature !== 1) {
        total = 0;
        for (let id = 0; id < vocabularySize; id++) {
          const odd = Math.exp((logits[offset + id]! - top) / temperature);
          odds[id] = odd;
          total += odd;
        }
      }
      if (isTruncated(params)) total = truncate(odds, total, params);
      let left = random.next() * total;
      for (let id = 0; id < vocabularySize; id++) {
        if (odds[id] === 0) continue;
        token = id;
        left -= odds[id]!;
        if (left < 0) break;
      }
    }
    return { token, logprob: logits[offset + token]! - top - logTotal };
  };
}

const isTruncated = ({ topK = 0, topP = 1, minP = 0 }: SamplingParams) => topK > 0 || topP < 1 || minP > 0;

/** Zeroes the odds that top-k, top-p and min-p leave out, in that order, and returns what is left in all. */
function truncate(
  odds: Float64Array,
  total: number,
  { topK = 0, topP = 1, minP = 0 }: SamplingParams,
): number {
  const order = Array.from(odds.keys()).sort((a, b) => odds[b]! - odds[a]! || a - b);
  let kept = topK > 0 ? Math.min(topK, order.length) : order.length;
  let mass = total;
  if (kept < order.length) {
    mass = 0;
    for (let rank = 0; rank < kept; rank++) mass += odds[order[rank]!]!;
  }
  let sofar = 0;
  for (let rank = 0; rank < kept; rank++) {
    const odd = odds[order[rank]!]!;
    if (rank > 0 && (sofar >= topP * mass || odd < minP * odds[order[0]!]!)) {
      kept = rank;
      break;
    }
    sofar += odd;
  }
  for (let rank = kept; rank < order.length; rank++) odds[order[rank]!] = 0;
  return sofar;
}
