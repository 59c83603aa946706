// What the gateway adds to a call. Agents in a thread of their own talk to it over HTTP, each a conversation of a few
// turns in an episode of its own, without a pause; the policy answers a fixed time after it is asked. What is over
// that time, as the agents see it, is the overhead: reading, rendering, recording, answering, and their own reading.
import { Worker } from "node:worker_threads";
import { createConversation } from "../src/gateway/conversation.ts";
import { serveGateway } from "../src/gateway/server.ts";
import { quantile } from "../src/kit/statistics.ts";
import { resolveLimits } from "../src/rollout/limits.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../src/testing/scripted-policy.ts";
import type { Bench, BenchRow } from "./report.ts";

const latencyMs = 250;
const turns = 8;
const paths = ["chat/completions", "responses", "messages"] as const;

export const run: Bench = async ({ say, only }) => {
  const rows: BenchRow[] = [];
  for (const agents of [1, 50, 200]) {
    for (const path of paths) {
      const name = `${path}, ${agents} agents`;
      if (only !== undefined && !name.includes(only)) continue;
      say(name);
      const overheads = await measure(path, agents);
      const median = quantile(overheads, 0.5);
      rows.push(
        { case: name, unit: "overhead p50 ms", value: median, peer: "aim", peerValue: 1, ratio: 1 / median },
        { case: name, unit: "overhead p99 ms", value: quantile(overheads, 0.99) },
      );
    }
  }
  return rows;
};

async function measure(path: string, agents: number): Promise<number[]> {
  const asked: number[] = [];
  const policy = scriptedPolicy(() => "A reply of a few words, as an agent's model gives it.", {
    renderer: byteRenderer,
    latencyMs,
  });
  const gateway = await serveGateway({
    port: 0,
    player: "fixed",
    create: ({ limits, ...episode }) =>
      createConversation({
        policy: {
          ...policy,
          async sample(request) {
            const askedAt = performance.now();
            const samples = await policy.sample(request);
            // timers are late by up to a millisecond: what the policy took is what it truly took
            asked.push(performance.now() - askedAt);
            return samples;
          },
        },
        renderer: byteRenderer,
        limits: resolveLimits({ turns, tokens: 100_000, ...limits }),
        ...episode,
      }),
    onTrajectory: () => {},
  });
  try {
    const took = await askedBy(gateway.url, { path, agents });
    const policyMs = quantile(asked, 0.5);
    return took.map((milliseconds) => milliseconds - policyMs);
  } finally {
    await gateway.close();
  }
}

function askedBy(url: string, options: { path: string; agents: number }): Promise<number[]> {
  const worker = new Worker(new URL("./gateway-agents.ts", import.meta.url), {
    workerData: { url, turns, ...options },
  });
  return new Promise((resolve, reject) => {
    worker.once("message", (took: number[]) => {
      resolve(took);
      void worker.terminate();
    });
    worker.once("error", reject);
  });
}
