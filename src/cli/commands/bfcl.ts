import type { Command } from "commander";
import { type Conformance, measureConformance } from "../../eval/bfcl/conformance.ts";
import { percent } from "../display/format.ts";
import { drawTable } from "../display/table.ts";
import { ExitError } from "../errors.ts";

/** Disagreements that are shown of each category. */
const shown = 3;

export function addBfcl(evaluate: Command): void {
  const bfcl = evaluate
    .command("bfcl")
    .description("the Berkeley Function-Calling Leaderboard, judged as its own checker does");
  bfcl
    .command("conformance <directory>")
    .description("judge recorded outputs, and compare with the verdicts of the original checker")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nThe directory holds questions/, possible_answer/ and conformance/. Exits with 1 when a verdict differs.\nRows of the multi-turn categories are not judged yet, and left out of the report.\n",
    )
    .action((directory: string, { json }: { json: boolean }) => {
      const report = measureConformance(directory);
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${draw(report).join("\n")}\n`);
      if (report.agree < report.rows) throw new ExitError(1);
    });
}

function draw({ categories, rows, agree }: Conformance): string[] {
  const share = (agreeing: number, all: number) => (all === 0 ? "" : percent(agreeing / all));
  const table = [
    ...Object.entries(categories).map(([name, each]) => [name, each.rows, each.agree] as const),
    ["all", rows, agree] as const,
  ].map(([name, all, agreeing]) => [name, String(all), String(agreeing), share(agreeing, all)]);
  const differing = Object.entries(categories).flatMap(([name, { disagreements }]) =>
    disagreements
      .slice(0, shown)
      .map(({ id, kind, expected, got }) => `${name} ${id} (${kind}): expected ${expected}, got ${got}`),
  );
  return [
    ...drawTable(["category", "rows", "agree", ""], table),
    ...(differing.length > 0 ? ["", ...differing] : []),
  ];
}
