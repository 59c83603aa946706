// Helpers without a domain noun: random numbers, a bounded pool, statistics, files. They import nothing of ours.
export { writeFileAtomic } from "./files.ts";
export { type JsonLine, readJsonLines } from "./jsonl.ts";
export { mapPool } from "./pool.ts";
export { createRandom, deriveSeed, type Random } from "./random.ts";
export { learningRateAt, type Schedule } from "./schedule.ts";
export { mean, median, quantile, standardDeviation, sum, wilsonInterval } from "./statistics.ts";
