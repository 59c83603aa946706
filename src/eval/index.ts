// Trajectories → what can be said of a policy: success with an interval, per kind, pass@k, paired comparison. What
// the world broke is counted and left out of every figure. Read report.ts first.
export { type Comparison, compare, compareTrajectories } from "./compare.ts";
export { type Passes, passAtK, passHatK, toPasses } from "./pass-at-k.ts";
export { type EnvironmentReport, type EvaluationReport, isSuccess, toReport } from "./report.ts";
