// How fast verdicts of the function-calling leaderboard are given: single-turn outputs checked against their answers,
// and multi-turn answers replayed against themselves (both sides are run and compared). The rows are those of the
// folder in ATTUNE_BFCL_DATA, or of ../shared/data/bfcl. Beside it, in turns, runs the benchmark's own checker where
// the Python in ATTUNE_BFCL_PYTHON (default: python3) has it. Reading files and imports are not counted on either side.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AstCheck, checkAst } from "../src/eval/bfcl/check/ast.ts";
import { isCallList } from "../src/eval/bfcl/check/shape.ts";
import { type BfclItem, openData } from "../src/eval/bfcl/data.ts";
import { checkTurns } from "../src/eval/bfcl/multi-turn/check.ts";
import { dictGet } from "../src/eval/bfcl/python/value.ts";
import { readRows, textOf } from "../src/eval/bfcl/rows.ts";
import { median } from "../src/kit/statistics.ts";
import { startPythonPeer } from "./python-peer.ts";
import type { Bench, BenchRow } from "./report.ts";

const categories = [
  "simple_python",
  "simple_java",
  "simple_javascript",
  "multiple",
  "parallel",
  "parallel_multiple",
  "live_simple",
  "live_multiple",
  "live_parallel",
  "live_parallel_multiple",
];
const multiTurn = [
  "multi_turn_base",
  "multi_turn_miss_func",
  "multi_turn_miss_param",
  "multi_turn_long_context",
];
const rounds = 5;
/** Passes over all rows in a round: enough that a round of checks is not a few milliseconds. */
const passes = { checks: 8, replays: 2 };
const peerName = "bfcl_eval";

type Case = { name: "checks" | "replays"; title: string; count: number; run(): void };

export const run: Bench = async ({ say, only }) => {
  const folder = process.env.ATTUNE_BFCL_DATA ?? join(import.meta.dirname, "../../shared/data/bfcl");
  if (!existsSync(join(folder, "conformance")))
    return [{ case: "all", unit: "", value: 0, skipped: `no benchmark data at ${folder}` }];
  const peer = startPythonPeer(
    "bfcl_check.py",
    ["bfcl_eval.eval_checker.multi_turn_eval.func_source_code.math_api"],
    process.env.ATTUNE_BFCL_PYTHON,
  );
  if ("skipped" in peer) say(`${peerName}: skipped, ${peer.skipped}`);
  const rows: BenchRow[] = [];
  try {
    if (!("skipped" in peer)) await peer.ask({ folder, categories, multiTurn });
    for (const each of [checkCase(folder), replayCase(folder)]) {
      if (only !== undefined && !each.title.includes(only)) continue;
      const [own, others]: [number[], number[]] = [[], []];
      // Once before the clock: what is compiled or imported at first use.
      secondsOf(each.run, passes[each.name]);
      if (!("skipped" in peer)) await peer.ask({ run: each.name, passes: passes[each.name] });
      for (let round = 0; round < rounds; round++) {
        say(`${each.title}, round ${round + 1} of ${rounds}`);
        own.push(secondsOf(each.run, passes[each.name]));
        if (!("skipped" in peer))
          others.push(
            (await peer.ask<{ seconds: number }>({ run: each.name, passes: passes[each.name] })).seconds,
          );
      }
      const value = (each.count * passes[each.name]) / median(own);
      const row = { case: each.title, unit: "per s", value };
      if ("skipped" in peer) rows.push(row);
      else {
        const peerValue = (each.count * passes[each.name]) / median(others);
        rows.push({ ...row, peer: peerName, peerValue, ratio: value / peerValue });
      }
    }
  } finally {
    if (!("skipped" in peer)) peer.close();
  }
  return rows;
};

/** Every single-turn row with an output that comes to the checker at all. */
function checkCase(folder: string): Case {
  const data = openData(folder);
  const checks: AstCheck[] = [];
  for (const category of categories) {
    const items = byId(data.items(category));
    for (const row of readRows(join(folder, "conformance", `${category}.jsonl`))) {
      const item = items.get(textOf(row, "id"));
      const output = dictGet(row.row, "output");
      if (item === undefined || !isCallList(output)) continue;
      checks.push({
        category,
        functions: item.functions,
        groundTruth: item.groundTruth ?? [],
        output,
        underscoreToDot: dictGet(row.row, "underscore_to_dot") === true,
      });
    }
  }
  const check = () => {
    for (const each of checks) checkAst(each);
  };
  return { name: "checks", title: "single-turn checks", count: checks.length, run: check };
}

/** The answers of every multi-turn item, judged as if a model had given them in one step a turn. */
function replayCase(folder: string): Case {
  const data = openData(folder);
  const items = multiTurn.flatMap((category) => data.items(category));
  const turns = items.map(({ groundTruth = [] }) => groundTruth.map((calls) => [calls as string[]]));
  const replay = () => {
    for (const [index, item] of items.entries()) checkTurns(item, turns[index]!);
  };
  return { name: "replays", title: "multi-turn replays", count: items.length, run: replay };
}

function byId(items: readonly BfclItem[]): Map<string, BfclItem> {
  return new Map(items.map((item) => [item.id, item]));
}

function secondsOf(work: () => void, times: number): number {
  const started = performance.now();
  for (let pass = 0; pass < times; pass++) work();
  return (performance.now() - started) / 1000;
}
