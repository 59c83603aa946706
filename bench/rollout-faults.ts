// Ten thousand episodes in a world where nearly a third of the tool calls fail, hang or come back as garbage. Where a
// fault strikes follows from a seed, so that the right end of every episode can be computed beside the rollout: the
// bench counts the episodes that are lost, doubled, wrongly ended or scored for what the world did. All must be 0.
import { defineEnvironment } from "../src/environment/define-environment.ts";
import { drawFault, type FaultOptions, faults } from "../src/environment/faults.ts";
import { toTask } from "../src/environment/task.ts";
import { tool } from "../src/environment/tool.ts";
import { watchSessions } from "../src/environment/watch-sessions.ts";
import { toolTable } from "../src/monitor/tool-table.ts";
import { toReward } from "../src/reward/to-reward.ts";
import type { Grade } from "../src/rollout/episode.ts";
import { toRequests } from "../src/rollout/groups.ts";
import { rollout } from "../src/rollout/rollout.ts";
import type { EpisodeRequest, Trajectory } from "../src/spec/trajectory.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../src/testing/scripted-policy.ts";
import { toGradeContext } from "../src/trajectory/grade-context.ts";
import { liveBytes } from "./live-bytes.ts";
import type { BenchRow } from "./report.ts";

const calls = 3;
const attempts = 3;
const concurrency = 1000;
const rounds = 4;
const injected: FaultOptions = { seed: 11, rates: { fail: 0.1, hang: 0.1, garbage: 0.1 } };

const task = toTask({ environment: "world", kind: "any", input: "Ring three times.", split: "train" });
const parameters = { type: "object", properties: {} };

const world = defineEnvironment({
  name: "world",
  description: "A bell.",
  tasks: () => [task],
  start: () => ({
    messages: [{ role: "user", content: task.input as string }],
    tools: [tool({ name: "bell", description: "Rings.", input: parameters, execute: () => "ring" })],
  }),
  rewards: { rung: { weight: 1, grade: (context) => (context.calls.length === calls ? 1 : 0) } },
});

const policy = scriptedPolicy(
  (prompt) => (prompt.split("assistant:").length - 2 < calls ? "→bell {}" : "done"),
  { renderer: byteRenderer },
);

const grade: Grade = (trajectory, { rewards }) => toReward(rewards, toGradeContext(trajectory));

export async function faultCases({
  say,
  only,
}: {
  say(line: string): void;
  only?: string;
}): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const episodes of [1000, 10_000]) {
    const name = `faults, ${episodes} episodes`;
    // the short form is for whoever asks for it
    if (only === undefined ? episodes < 10_000 : !name.startsWith(only)) continue;
    say(name);
    rows.push(...(await faultCase(name, episodes)));
  }
  return rows;
}

async function faultCase(name: string, episodes: number): Promise<BenchRow[]> {
  const { watched, count: sessions } = watchSessions(world);
  const environment = faults(watched, injected);
  const counts = { lost: 0, doubled: 0, wrong: 0, scored: 0, broken: 0, retried: 0 };
  const held: number[] = [];
  let brokenCalls = 0;
  let allCalls = 0;
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round++) {
    const requests = toRequests({
      tasks: [task],
      groupSize: Math.ceil(episodes / rounds),
      step: round,
      runSeed: 0,
      sampling: { temperature: 1 },
    });
    const retried: Trajectory[] = [];
    const told: string[] = [];
    const played = await rollout({
      environments: [environment],
      requests,
      policy,
      renderer: byteRenderer,
      grade,
      concurrency,
      order: "free",
      limits: { toolTimeoutMs: 100 },
      retry: { attempts, firstDelayMs: 5, mostDelayMs: 50 },
      onEpisode: ({ id }) => told.push(id),
      onRetry: (thrownAway) => retried.push(thrownAway),
    });
    counts.lost += requests.length - played.length + (requests.length - told.length);
    counts.doubled += told.length - new Set(told).size;
    for (const [index, request] of requests.entries()) count(played[index]!, request, counts);
    counts.retried += retried.length;
    const row = toolTable({ played, retried })["bell"]!;
    allCalls += row.calls;
    brokenCalls += row.failures.infrastructure + row.failures.timeout;
    held.push(await liveBytes());
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const plain = (unit: string, value: number): BenchRow => ({ case: name, unit, value });
  return [
    plain("episodes/s", (rounds * Math.ceil(episodes / rounds)) / seconds),
    plain("share of calls that broke", brokenCalls / allCalls),
    plain("attempts thrown away", counts.retried),
    plain("episodes without a reward", counts.broken),
    plain("lost (must be 0)", counts.lost),
    plain("counted twice (must be 0)", counts.doubled),
    plain("wrong status (must be 0)", counts.wrong),
    plain("scored for what the world did (must be 0)", counts.scored),
    plain(
      "sessions left open or closed twice (must be 0)",
      sessions.opened - sessions.closed + sessions.closedAgain,
    ),
    plain("KiB held more after the last quarter than after the second", (held.at(-1)! - held[1]!) / 1024),
  ];
}

/** Compares an episode with what must have become of it. */
function count(
  { status, reward, attempt }: Trajectory,
  request: EpisodeRequest,
  counts: Record<"wrong" | "scored" | "broken", number>,
): void {
  const right = expected(request);
  if (status !== right.status || attempt !== right.attempt) counts.wrong++;
  if (right.status === "environment_error") counts.broken++;
  if (right.status === "environment_error" ? reward !== null : reward !== 1) counts.scored++;
}

function expected({ seed }: EpisodeRequest): { status: Trajectory["status"]; attempt: number } {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const point = { environment: "world", task: task.id, session: seed, attempt };
    const struck = Array.from({ length: calls }, (_, call) => drawFault(injected, { ...point, call }).fault);
    if (struck.every((fault) => fault === undefined)) return { status: "completed", attempt };
  }
  return { status: "environment_error", attempt: attempts - 1 };
}
