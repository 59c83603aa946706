import { standardDeviation } from "../../../kit/statistics.ts";
import { type PythonValue, toDict } from "../python/value.ts";

/** How far accuracy moves with the wording of the prompt, in percentage points; not part of the score. */
export type Sensitivity = {
  largestDifference: number;
  deviation: number;
  /** By variation, as ids spell it. */
  variations: Record<string, { correct: number; total: number }>;
};

/** From the verdicts of the prompt-variation study; an id names its variation between colons. */
export function toSensitivity(verdicts: Iterable<{ id: string; valid: boolean }>): Sensitivity {
  const variations: Sensitivity["variations"] = {};
  for (const { id, valid } of verdicts) {
    const name = id.split(":")[1] ?? "";
    const own = variations[name] ?? { correct: 0, total: 0 };
    variations[name] = own;
    own.total++;
    if (valid) own.correct++;
  }
  const shares = Object.values(variations).map(({ correct, total }) => correct / total);
  if (shares.length < 2) return { largestDifference: 0, deviation: 0, variations };
  return {
    largestDifference: round((Math.max(...shares) - Math.min(...shares)) * 100),
    deviation: round(standardDeviation(shares) * 100),
    variations,
  };
}

/** What the leaderboard adds to the first line of this category's score file. */
export function sensitivityHeader({
  largestDifference,
  deviation,
  variations,
}: Sensitivity): [string, PythonValue][] {
  const shares = Object.values(variations).map(({ correct, total }) => correct / total);
  return [
    ["accuracy_max_delta", largestDifference],
    ["accuracy_variance", round(standardDeviation(shares) ** 2 * 100 ** 2)],
    ["accuracy_std", deviation],
    ...Object.entries(variations).map(([name, { correct, total }]): [string, PythonValue] => [
      name,
      toDict({ accuracy: correct / total, correct_count: BigInt(correct), total_count: BigInt(total) }),
    ]),
  ];
}

const round = (value: number) => Math.round(value * 100) / 100;
