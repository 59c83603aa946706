// Trajectories → what can be said of a policy: success with an interval, per kind, pass@k, paired comparison.
export { type Comparison, compare } from "./compare.ts";
export { passAtK, passHatK } from "./pass-at-k.ts";
export { type EnvironmentReport, type EvaluationReport, isSuccess, toReport } from "./report.ts";
