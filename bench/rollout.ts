// What the rollout loop itself costs, and whether it keeps count when the world fails. A policy without weights answers after a fixed time; the world is one tool that
// answers at once. The bound beside the episodes per second is what the policy's latency alone would allow; CPU is
// that of the whole process; memory is what a live episode holds while it waits for its last turn. The cases that begin
// with "faults" play in a world that fails, hangs and gives garbage (see rollout-faults.ts).
import { defineEnvironment } from "../src/environment/define-environment.ts";
import { toTask } from "../src/environment/task.ts";
import { tool } from "../src/environment/tool.ts";
import { median } from "../src/kit/statistics.ts";
import { toRequests } from "../src/rollout/groups.ts";
import { type Rollout, rollout } from "../src/rollout/rollout.ts";
import type { Policy } from "../src/spec/policy.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../src/testing/scripted-policy.ts";
import { liveBytes } from "./live-bytes.ts";
import type { Bench, BenchRow } from "./report.ts";
import { faultCases } from "./rollout-faults.ts";

const turns = 4;
const latencyMs = 20;
/** The most at a time take long enough to be measured once. */
const roundsAt = (concurrency: number) => (concurrency >= 10_000 ? 1 : 3);

const task = toTask({
  environment: "world",
  kind: "any",
  input: "Add one, three times over, to 39.",
  split: "train",
});

const parameters = { type: "object", properties: { x: { type: "number" } }, required: ["x"] };

const world = defineEnvironment({
  name: "world",
  description: "One tool that answers at once.",
  tasks: () => [task],
  start: () => ({
    messages: [
      { role: "system", content: "You may use tools. ".repeat(10) },
      { role: "user", content: task.input as string },
    ],
    tools: [
      tool<{ x: number }>({
        name: "increment",
        description: "Adds one.",
        input: parameters,
        execute: ({ x }) => String(x + 1),
      }),
    ],
  }),
  rewards: { done: { weight: 1, grade: ({ status }) => (status === "completed" ? 1 : 0) } },
});

const say = (prompt: string) =>
  prompt.split("assistant:").length - 2 < turns - 1
    ? 'One more, then the next.\n→increment {"x":39}'
    : "The answer is 42.";

export const run: Bench = async ({ say: report, only }) => {
  const rows: BenchRow[] = [];
  for (const order of ["free", "lockstep"] as const) {
    for (const concurrency of [1, 10, 100, 1000, 10_000]) {
      const name = `${order}, ${concurrency} at a time`;
      if (only !== undefined && !name.startsWith(only)) continue;
      report(name);
      const kibibytes = await memory(order, concurrency);
      const played: Awaited<ReturnType<typeof speed>>[] = [];
      for (let round = 0; round < roundsAt(concurrency); round++)
        played.push(await speed(order, concurrency));
      const value = median(played.map(({ episodesPerSecond }) => episodesPerSecond));
      const peerValue = (concurrency * 1000) / (turns * latencyMs);
      const bound = { peer: "latency alone", peerValue, ratio: value / peerValue };
      rows.push(
        { case: name, unit: "episodes/s", value, ...bound },
        { case: name, unit: "overhead, share of ideal", value: Math.max(0, peerValue / value - 1) },
        { case: name, unit: "CPU µs/turn", value: median(played.map(({ cpuPerTurn }) => cpuPerTurn)) },
        { case: name, unit: "KiB/episode", value: kibibytes },
      );
    }
  }
  rows.push(...(await faultCases({ say: report, ...(only !== undefined && { only }) })));
  return rows;
};

const policy = scriptedPolicy(say, { renderer: byteRenderer, latencyMs });

async function play(episodes: number, options: Pick<Rollout, "order" | "concurrency" | "policy">) {
  const requests = toRequests({
    tasks: [task],
    groupSize: episodes,
    step: 0,
    runSeed: 0,
    sampling: { temperature: 1 },
  });
  const grade = async () => ({ rewards: {}, reward: 1, errors: [] });
  await rollout({ environments: [world], requests, renderer: byteRenderer, grade, ...options });
}

async function speed(order: Rollout["order"], concurrency: number) {
  // about half a second of the bound for few at a time, every place filled twice for many
  const episodes = Math.max(
    2 * concurrency,
    Math.min(2000, Math.ceil((500 * concurrency) / (turns * latencyMs))),
  );
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  await play(episodes, { order, concurrency, policy });
  const cpu = process.cpuUsage(cpuBefore);
  return {
    episodesPerSecond: (episodes * 1000) / (performance.now() - startedAt),
    cpuPerTurn: (cpu.user + cpu.system) / (episodes * turns),
  };
}

/** KiB that a live episode holds; too little to be seen when there are few. */
async function memory(order: Rollout["order"], concurrency: number) {
  await play(concurrency, { order, concurrency, policy });
  const before = await liveBytes();
  let during = before;
  const onAllWaiting = async () => {
    during = await liveBytes();
  };
  const paused = pausedAtTheLastTurn({ concurrency, onAllWaiting });
  await play(concurrency, { order, concurrency, policy: paused });
  return (during - before) / concurrency / 1024;
}

/** Holds every episode's last turn until all of them have come to it. */
function pausedAtTheLastTurn(options: { concurrency: number; onAllWaiting(): Promise<void> }): Policy {
  let waiting = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    ...policy,
    async sample(request) {
      if (byteRenderer.tokenizer.decode(request.prompt).split("assistant:").length - 2 === turns - 1) {
        if (++waiting === options.concurrency) {
          await options.onAllWaiting();
          resolve();
        }
        await promise;
      }
      return policy.sample(request);
    },
  };
}
