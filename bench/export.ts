import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formats } from "../src/data/format/formats.ts";
import { writeParts } from "../src/data/format/write-parts.ts";
import { createRandom, type Random } from "../src/kit/random.ts";
import type { Trajectory, TrajectoryNode } from "../src/spec/trajectory.ts";
import type { Bench, BenchRow } from "./report.ts";

/**
 * 100,000 small trajectories (two turns, one call, some 250 tokens) through an exporter to a file: how fast, and the
 * most that the whole process held meanwhile, asked of the operating system.
 */
export const run: Bench = async ({ say, only }) => {
  const rows: BenchRow[] = [];
  const count = 100_000;
  for (const name of ["openai", "verifiers", "verl", "hugging-face"] as const) {
    if (only && !name.includes(only)) continue;
    const folder = mkdtempSync(join(tmpdir(), "attune-bench-export-"));
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
    try {
      const format = formats[name];
      const from = performance.now();
      const path = join(folder, "out");
      const { bytes } = await writeParts(format.write(drawTrajectories(count)), {
        path,
        output: format.output,
      });
      const took = performance.now() - from;
      rows.push({ case: `export ${name}`, unit: "trajectories/s", value: (count / took) * 1000 });
      rows.push({ case: `export ${name}, memory at its peak`, unit: "MiB", value: peak / 2 ** 20 });
      rows.push({ case: `export ${name}, on disk`, unit: "bytes each", value: bytes / count });
      say(`${name} in ${(took / 1000).toFixed(1)} s`);
    } finally {
      clearInterval(watch);
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return rows;
};

/** Trajectories one after another, as a store's scan gives them. */
async function* drawTrajectories(count: number): AsyncGenerator<Trajectory> {
  const random = createRandom(1);
  for (let index = 0; index < count; index++) yield drawTrajectory(random, `episode-${index}`);
}

function drawTrajectory(random: Random, id: string): Trajectory {
  const tokens = (length: number) => Int32Array.from({ length }, () => random.integer(32_000));
  const seen = (length: number) => ({
    tokens: tokens(length),
    logprobs: null,
    sampled: false,
    mask: false,
    policyVersion: null,
  });
  const said = (length: number) => ({
    tokens: tokens(length),
    logprobs: Float32Array.from({ length }, () => -random.next()),
    sampled: true,
    mask: true,
    policyVersion: 3,
  });
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
  return {
    format: 1,
    id,
    player: "policy",
    step: 0,
    group: id,
    sample: 0,
    attempt: 0,
    seed: 1,
    task: { id, environment: "files", kind: "read", input: { question: id }, answer: id, split: "train" },
    tools: [{ name: "shell", description: "Runs a command.", parameters: { type: "object" } }],
    nodes,
    calls: [{ turn: 0, ...call, observation, failure: null, latencyMs: 1.5 }],
    status: "completed",
    rewards: { correct: 1 },
    reward: 1,
    timing: { samplingMs: 10, toolMs: 2, gradingMs: 1, wallMs: 14 },
  };
}
