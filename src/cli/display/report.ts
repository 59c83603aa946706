import type { EvaluationReport } from "../../eval/report.ts";
import { percent } from "./format.ts";
import { drawTable } from "./table.ts";

/** Environment × evaluation: success with its 95 % interval, and what the episodes were like. */
export function drawReports(reports: ReadonlyMap<string, EvaluationReport>): string[] {
  const environments = new Set([...reports.values()].flatMap((report) => Object.keys(report.environments)));
  const rows: string[][] = [];
  for (const name of environments) {
    for (const [label, report] of reports) {
      const own = report.environments[name];
      if (!own) continue;
      rows.push([
        name,
        label,
        percent(own.success),
        `${percent(own.low)} – ${percent(own.high)}`,
        own.turns.toFixed(1),
        own.toolCalls.toFixed(1),
        percent(own.toolFailures),
        String(own.episodes),
      ]);
    }
  }
  if (environments.size > 1) {
    for (const [label, { success }] of reports)
      rows.push(["mean", label, percent(success), "", "", "", "", ""]);
  }
  return drawTable(
    ["environment", "policy", "success", "95 % interval", "turns", "calls", "failed calls", "episodes"],
    rows,
  );
}
