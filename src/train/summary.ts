import type { EvaluationReport } from "../eval/report.ts";
import type { Progress } from "../run/progress.ts";
import type { RunSummary } from "./event.ts";

/** What a run came to: success by environment and evaluation, and what it cost. */
export function toSummary(
  reports: readonly (readonly [label: string, report: EvaluationReport])[],
  progress: Progress,
  directory: string,
): RunSummary {
  const environments: RunSummary["environments"] = {};
  for (const [label, report] of reports) {
    for (const [name, { success, low, high, episodes }] of Object.entries(report.environments)) {
      environments[name] = { ...environments[name], [label]: { success, low, high, episodes } };
    }
  }
  return {
    environments,
    wallSeconds: progress.wallSeconds,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    tokensTrained: progress.tokensTrained,
    tokensSampled: progress.tokensSampled,
    run: directory,
  };
}
