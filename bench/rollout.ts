// What the rollout loop itself costs, and whether it keeps count when the world fails. A policy without weights
// answers after a fixed time; the world is one tool that answers at once. Beside the episodes per second stands what
// the same policy gives when it is asked without any loop, in the same run; `of the ideal` is the share of what its
// latency alone would allow, which no timer reaches. CPU is that of the whole process; memory is what a live episode
// holds while it waits for its last turn. The cases that begin with "faults" play in a world that fails, hangs and
// gives garbage (see rollout-faults.ts).
import { defineEnvironment } from "../src/environment/define-environment.ts";
import { toTask } from "../src/environment/task.ts";
import { tool } from "../src/environment/tool.ts";
import { mapPool } from "../src/kit/pool.ts";
import { median } from "../src/kit/statistics.ts";
import { toRequests } from "../src/rollout/groups.ts";
import { type Rollout, rollout } from "../src/rollout/rollout.ts";
import type { Policy } from "../src/spec/policy.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";
import { fixedLatencyPolicy, latencyMs, turnOf, turns } from "./fixed-latency-policy.ts";
import { liveBytes } from "./live-bytes.ts";
import type { Bench, BenchRow } from "./report.ts";
import { faultCases } from "./rollout-faults.ts";

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

export const run: Bench = async ({ say: report, only }) => {
  const rows: BenchRow[] = [];
  for (const order of ["free", "lockstep"] as const) {
    for (const concurrency of [1, 10, 100, 1000, 10_000]) {
      const name = `${order}, ${concurrency} at a time`;
      if (only !== undefined && !name.startsWith(only)) continue;
      report(name);
      const kibibytes = await memory(order, concurrency);
      // long enough for the code to be compiled, as it is in a run of hours
      if (concurrency >= 1000) await play(20_000, { order, concurrency, policy });
      const played: Awaited<ReturnType<typeof speed>>[] = [];
      const alone: number[] = [];
      for (let round = 0; round < roundsAt(concurrency); round++) {
        played.push(await speed(order, concurrency));
        alone.push(await policyAlone(concurrency));
      }
      const value = median(played.map(({ episodesPerSecond }) => episodesPerSecond));
      const peerValue = median(alone);
      rows.push(
        {
          case: name,
          unit: "episodes/s",
          value,
          peer: "the policy alone",
          peerValue,
          ratio: value / peerValue,
        },
        { case: name, unit: "of the ideal", value: (value * turns * latencyMs) / (concurrency * 1000) },
        { case: name, unit: "CPU µs/turn", value: median(played.map(({ cpuPerTurn }) => cpuPerTurn)) },
        { case: name, unit: "KiB/episode", value: kibibytes },
      );
    }
  }
  rows.push(...(await faultCases({ say: report, ...(only !== undefined && { only }) })));
  return rows;
};

const policy = fixedLatencyPolicy(
  ['One more, then the next.\n→increment {"x":39}', "The answer is 42."].map((text) =>
    Int32Array.from([...byteRenderer.tokenizer.encode(text), ...byteRenderer.stopTokens]),
  ),
);

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

/** As many episodes at a time, of nothing but samples. */
async function policyAlone(concurrency: number): Promise<number> {
  let left = episodesAt(concurrency);
  const prompt = byteRenderer.tokenizer.encode("assistant:");
  const params = { temperature: 1, maxTokens: 256, seed: 0 };
  const startedAt = performance.now();
  await mapPool(Array.from({ length: concurrency }), concurrency, async () => {
    while (left-- > 0) for (let turn = 0; turn < turns; turn++) await policy.sample({ prompt, params });
  });
  return (episodesAt(concurrency) * 1000) / (performance.now() - startedAt);
}

/** About half a second of the bound for few at a time, every place filled twenty times for a thousand. */
const episodesAt = (concurrency: number) =>
  Math.max(Math.min(20 * concurrency, 40_000), Math.ceil((500 * concurrency) / (turns * latencyMs)));

async function speed(order: Rollout["order"], concurrency: number) {
  const episodes = episodesAt(concurrency);
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
      if (turnOf(request.prompt) === turns - 1) {
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
