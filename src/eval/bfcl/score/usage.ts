import { mean, quantile, standardDeviation, sum } from "../../../kit/statistics.ts";
import { dictGet, type PythonDict, type PythonValue } from "../python/value.ts";

/** What asking took. Seconds are of single replies, and null where none was measured. */
export type Usage = {
  inputTokens: number;
  outputTokens: number;
  seconds: { mean: number; deviation: number; p95: number } | null;
  /** Dollars, where a price is known. */
  cost: number | null;
};

/** Dollars for a million tokens. */
export type Price = { input: number; output: number };

/** Adds up what the rows of result files say of tokens and seconds; zeros count as not measured. */
export function toUsage(rows: Iterable<PythonDict>, price?: Price): Usage {
  const inputs: number[] = [];
  const outputs: number[] = [];
  const seconds: number[] = [];
  for (const row of rows) {
    collect(dictGet(row, "input_token_count"), inputs);
    collect(dictGet(row, "output_token_count"), outputs);
    collect(dictGet(row, "latency"), seconds);
  }
  const [inputTokens, outputTokens] = [sum(inputs), sum(outputs)];
  return {
    inputTokens,
    outputTokens,
    seconds:
      seconds.length === 0
        ? null
        : { mean: mean(seconds), deviation: standardDeviation(seconds), p95: quantile(seconds, 0.95) },
    cost: price === undefined ? null : (inputTokens * price.input + outputTokens * price.output) / 1e6,
  };
}

function collect(value: PythonValue | undefined, into: number[]): void {
  if (Array.isArray(value)) for (const item of value) collect(item, into);
  else if ((typeof value === "number" || typeof value === "bigint") && Number(value) !== 0)
    into.push(Number(value));
}
