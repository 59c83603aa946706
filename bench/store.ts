import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, type Random } from "../src/kit/random.ts";
import type { Trajectory, TrajectoryNode } from "../src/spec/trajectory.ts";
import { openStore, type TrajectoryStore } from "../src/trajectory/directory-store.ts";
import { liveBytes } from "./live-bytes.ts";
import type { Bench, BenchRow } from "./report.ts";

/** Trajectories that are appended at once, as a step of a run or a gateway's calls that end together. */
const batch = 64;

/**
 * A store on disk: how fast small trajectories (two turns, one call, some 250 tokens) are appended, found by their
 * headings and read back whole, and what a scan over a million of them holds in memory.
 */
export const run: Bench = async ({ say, only }) => {
  const rows: BenchRow[] = [];
  const sizes = [
    { name: "20,000 trajectories", count: 20_000 },
    { name: "1,000,000 trajectories", count: 1_000_000 },
  ].filter(({ name }) => !only || name.includes(only));
  for (const { name, count } of sizes) {
    const folder = mkdtempSync(join(tmpdir(), "attune-bench-store-"));
    try {
      rows.push(...(await measure({ folder, name, count, say })));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return rows;
};

async function measure({
  folder,
  name,
  count,
  say,
}: {
  folder: string;
  name: string;
  count: number;
  say(line: string): void;
}): Promise<BenchRow[]> {
  const store = openStore(folder);
  const rows: BenchRow[] = [];
  const row = (what: string, unit: string, value: number) =>
    rows.push({ case: `${what}, ${name}`, unit, value });

  // append: the trajectories are made before the clock starts, and numbered as they go
  const random = createRandom(1);
  const models = Array.from({ length: 256 }, () => drawTrajectory(random));
  const before = await liveBytes();
  const appendedFrom = performance.now();
  for (let done = 0; done < count; done += batch) {
    const part: Trajectory[] = [];
    for (let index = done; index < Math.min(count, done + batch); index++)
      part.push({ ...models[index % models.length]!, id: `episode-${index}`, step: Math.floor(index / 512) });
    await store.append(part);
    if (done % (batch * 2000) === 0 && done > 0) say(`${done} appended`);
  }
  await store.sync();
  row("append", "trajectories/s", (count / (performance.now() - appendedFrom)) * 1000);
  row("append, memory", "MiB", ((await liveBytes()) - before) / 2 ** 20);
  row("on disk", "bytes each", folderBytes(folder) / count);

  // scan: everything is looked at, few are found
  let peak = 0;
  const scan = async (filter: Parameters<TrajectoryStore["scan"]>[0]) => {
    const from = performance.now();
    let found = 0;
    for await (const _ of store.scan(filter)) if (++found % 10_000 === 0) peak = Math.max(peak, heapBytes());
    return { found, rate: (count / (performance.now() - from)) * 1000 };
  };
  row("scan, all headings", "trajectories/s", (await scan({})).rate);
  row("scan, memory at its peak", "MiB", peak / 2 ** 20);
  row(
    "scan, four filters",
    "trajectories/s",
    (await scan({ environment: "files", status: "completed", reward: { least: 0.5 }, tool: "shell" })).rate,
  );
  row("scan for a text", "trajectories/s", (await scan({ text: "nobody says this" })).rate);
  const readFrom = performance.now();
  await store.read(`episode-${count - 1}`);
  row("read by id", "ms", performance.now() - readFrom);

  // whole trajectories, arrays included
  const wholes = Math.min(count, 10_000);
  const wholeFrom = performance.now();
  let whole = 0;
  for await (const _ of store.trajectories()) if (++whole === wholes) break;
  row("read whole", "trajectories/s", (whole / (performance.now() - wholeFrom)) * 1000);

  const rebuiltFrom = performance.now();
  await store.rebuildIndex();
  row("index written anew", "trajectories/s", (count / (performance.now() - rebuiltFrom)) * 1000);
  await store.close();
  return rows;
}

function heapBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((total, file) => total + statSync(join(folder, file)).size, 0);
}

function drawTrajectory(random: Random): Trajectory {
  const tokens = (count: number) => Int32Array.from({ length: count }, () => random.integer(32_000));
  const said = (count: number) => ({
    tokens: tokens(count),
    logprobs: Float32Array.from({ length: count }, () => -random.next()),
    sampled: true,
    mask: true,
    policyVersion: 3,
    stopReason: "stop" as const,
  });
  const seen = (count: number) => ({
    tokens: tokens(count),
    logprobs: null,
    sampled: false,
    mask: false,
    policyVersion: null,
  });
  const id = `${random.integer(1e6)}`;
  const call = { id: "call-1", name: "shell", arguments: { command: `cat notes/${id}.txt` } };
  const observation = `the value is ${id}`;
  const nodes: TrajectoryNode[] = [
    { parent: null, turn: 0, message: { role: "system", content: "files" }, ...seen(0) },
    { parent: 0, turn: 0, message: { role: "user", content: `what does ${id} say?` }, ...seen(120) },
    { parent: 1, turn: 0, message: { role: "assistant", content: "look", toolCalls: [call] }, ...said(40) },
    {
      parent: 2,
      turn: 1,
      message: { role: "tool", callId: call.id, name: "shell", content: observation },
      ...seen(50),
    },
    { parent: 3, turn: 1, message: { role: "assistant", content: id }, ...said(40) },
  ];
  const environment = random.pick(["files", "shop", "database", "web"]);
  const reward = random.integer(3) / 2;
  return {
    format: 1,
    id,
    player: "policy",
    step: 0,
    group: `0-1-${id}`,
    sample: 0,
    attempt: 0,
    seed: random.integer(2 ** 31),
    task: { id: `${environment}-${id}`, environment, kind: "read", input: { question: id }, split: "train" },
    tools: [{ name: "shell", description: "Runs a command.", parameters: { type: "object" } }],
    nodes,
    calls: [{ turn: 0, ...call, observation, failure: null, latencyMs: 1.5 }],
    status: "completed",
    rewards: { correct: reward },
    reward,
    timing: { samplingMs: 10, toolMs: 2, gradingMs: 1, wallMs: 14 },
  };
}
