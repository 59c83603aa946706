// Rollouts by many processes: the same episodes played by one `attune worker` and by four, over a real Redis, where
// the environment is the bottleneck (tools that take their time, few episodes at once in each process). In the second
// case one of four workers is killed every five seconds and another takes its place; episodes that are lost or
// counted twice must be 0.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { takeTasks } from "../src/data/tasks.ts";
import { median } from "../src/kit/statistics.ts";
import { openDispatcher } from "../src/queue/dispatcher.ts";
import type { RolloutDriver } from "../src/rollout/driver.ts";
import { toRequests } from "../src/rollout/groups.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";
import { grade } from "../src/train/grade.ts";
import { bell, seededPolicy } from "../test/fixtures/workers.config.ts";
import { startRedis, whyNoRedis } from "../test/redis-server.ts";
import type { Bench, BenchRow } from "./report.ts";

const latencyMs = 250;
/** Episodes that one worker plays at once. */
const slots = 4;
const killEveryMs = 5000;
const rounds = 3;
const counts = { throughput: 160, killed: 480 };

export const run: Bench = async ({ say, only }) => {
  const reason = whyNoRedis();
  if (reason !== undefined) return [{ case: "all", unit: "", value: 0, skipped: reason }];
  const redis = await startRedis();
  const workers = new Set<ChildProcess>();
  const start = () => {
    const config = join(import.meta.dirname, "../test/fixtures/workers.config.ts");
    const given = ["worker", config, "--redis", redis.url, "--concurrency", String(slots), "--lease", "2"];
    const child = spawn(process.execPath, [join(import.meta.dirname, "../src/cli/main.ts"), ...given], {
      env: { ...process.env, BELL_LATENCY_MS: String(latencyMs) },
      stdio: "ignore",
    });
    workers.add(child);
    child.on("exit", () => workers.delete(child));
    return child;
  };
  let seen = { alive: 0, slots: 0 };
  let driver: RolloutDriver | undefined;
  let step = 0;
  /** Plays so many episodes with so many workers, and gives the seconds it took and what came of them. */
  const play = async (episodes: number, count: number) => {
    while (workers.size < count) start();
    for (const child of [...workers].slice(count)) child.kill("SIGKILL");
    while (seen.alive !== count) await wait(50);
    const tasks = takeTasks({
      environments: [bell],
      split: "train",
      count: episodes / 4,
      seed: step,
      whenUsedUp: "stop",
    });
    const requests = toRequests({
      tasks,
      groupSize: 4,
      step,
      runSeed: step++,
      sampling: { temperature: 1 },
    });
    const startedAt = performance.now();
    const { trajectories, metrics } = await driver!.play({
      environments: [bell],
      requests,
      policy: seededPolicy({ version: step }),
      renderer: byteRenderer,
      limits: { turns: 4 },
      grade,
      concurrency: episodes,
      order: "free",
      retry: { attempts: 2, firstDelayMs: 10 },
    });
    const ids = new Set(trajectories.map(({ id }) => id));
    return {
      seconds: (performance.now() - startedAt) / 1000,
      lost: episodes - ids.size,
      twice: trajectories.length - ids.size,
      metrics,
    };
  };

  const rows: BenchRow[] = [];
  try {
    driver = await openDispatcher({
      redis: redis.url,
      queue: "bells",
      run: "bench",
      rendererFiles: {},
      onWorkers: (each) => {
        seen = each;
      },
    });
    if (only === undefined || "workers".includes(only)) {
      const [one, four]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        say(`round ${round + 1} of ${rounds}`);
        one.push(counts.throughput / 4 / (await play(counts.throughput / 4, 1)).seconds);
        four.push(counts.throughput / (await play(counts.throughput, 4)).seconds);
      }
      const [value, peerValue] = [median(four), median(one)];
      rows.push({
        case: "4 workers",
        unit: "episodes/s",
        value,
        peer: "1 worker",
        peerValue,
        ratio: value / peerValue,
      });
    }
    if (only === undefined || "killed".includes(only)) {
      say(`${counts.killed} episodes, and a worker killed every ${killEveryMs / 1000} s`);
      let kills = 0;
      const reaper = setInterval(() => {
        [...workers][0]?.kill("SIGKILL");
        kills++;
        start();
      }, killEveryMs);
      try {
        const { seconds, lost, twice } = await play(counts.killed, 4);
        const title = `4 workers, ${kills} killed`;
        rows.push({ case: title, unit: "episodes/s", value: counts.killed / seconds });
        rows.push({ case: `${title}: lost`, unit: "episodes", value: lost });
        rows.push({ case: `${title}: counted twice`, unit: "episodes", value: twice });
      } finally {
        clearInterval(reaper);
      }
    }
  } finally {
    await driver?.close();
    for (const child of workers) child.kill("SIGKILL");
    await redis.stop();
  }
  return rows;
};
