// What the built-in worlds cost without a policy: sessions that are opened, played by the careful expert and closed,
// many at once; how long opening one takes; and what a thousand (ten thousand, where they are light) that are open at
// the same time hold. Each part of a world has a few seconds; what was reached in them is what is reported.
import { checkTasks } from "../src/environment/check-tasks.ts";
import { gym } from "../src/gym/index.ts";
import { mapPool } from "../src/kit/pool.ts";
import { deriveSeed } from "../src/kit/random.ts";
import { quantile } from "../src/kit/statistics.ts";
import { playWithPlayer } from "../src/rollout/player.ts";
import type { Environment, Session, Task } from "../src/spec/environment.ts";
import { grade } from "../src/train/grade.ts";
import { liveBytes } from "./live-bytes.ts";
import type { Bench, BenchRow } from "./report.ts";

const secondsPerPart = 2;
/** After which no more sessions are opened; some do work in the first call. */
const openingSeconds = 20;
const atOnce = 64;
const many = 1000;
const veryMany = 10_000;
/** What a session may hold to be counted among the light ones. */
const lightBytes = 100 * 1024;

export const run: Bench = async ({ say, only }) => {
  const rows: BenchRow[] = [];
  for (const [name, make] of Object.entries(gym)) {
    if (only !== undefined && name !== only) continue;
    say(name);
    const environment = make();
    const { tasks } = checkTasks(environment, { split: "train", count: 200, seed: 0 });
    rows.push(...(await speed(environment, tasks)));
    const first = await memory(environment, tasks, many);
    rows.push(...first.rows);
    if (first.complete && first.bytesPerSession < lightBytes)
      rows.push(...(await memory(environment, tasks, veryMany)).rows);
  }
  return rows;
};

/** Endless tasks for as long as there is time. */
function* forSeconds(tasks: readonly Task[], seconds: number): Generator<Task> {
  const until = performance.now() + seconds * 1000;
  for (let index = 0; performance.now() < until; index++) yield tasks[index % tasks.length]!;
}

async function speed(environment: Environment, tasks: readonly Task[]): Promise<BenchRow[]> {
  const careful = environment.experts?.["careful"];
  if (!careful) return [];
  const startMs: number[] = [];
  const timed: Environment = {
    ...environment,
    async start(...given) {
      const askedAt = performance.now();
      const session = await environment.start(...given);
      startMs.push(performance.now() - askedAt);
      return session;
    },
  };
  const play = async (task: Task, index: number) => {
    const seed = deriveSeed("bench", index);
    const { reward, latencies } = await playWithPlayer({
      environment: timed,
      request: { task, step: 0, group: "bench", sample: index, seed, sampling: { temperature: 0 } },
      player: careful(task, { seed }),
      playerName: "careful",
      grade,
    }).then((trajectory) => ({
      reward: trajectory.reward,
      latencies: trajectory.calls.map(({ latencyMs }) => latencyMs),
    }));
    return { reward, latencies };
  };
  await mapPool(tasks.slice(0, 20), 4, play);
  startMs.length = 0;
  const startedAt = performance.now();
  const played = await mapPool(forSeconds(tasks, secondsPerPart), atOnce, play);
  const seconds = (performance.now() - startedAt) / 1000;
  const latencies = played.flatMap((episode) => episode.latencies);
  const name = `${environment.name}, ${atOnce} at a time`;
  return [
    { case: name, unit: "sessions/s", value: played.length / seconds },
    { case: name, unit: "start p50 ms", value: quantile(startMs, 0.5) },
    { case: name, unit: "start p99 ms", value: quantile(startMs, 0.99) },
    ...(latencies.length > 0
      ? [{ case: name, unit: "tool call p99 ms", value: quantile(latencies, 0.99) }]
      : []),
    {
      case: name,
      unit: "not solved (must be 0)",
      value: played.filter(({ reward }) => reward === null || reward <= 0).length,
    },
  ];
}

/** Opens sessions, does one call in each as its expert would, and weighs them while all are open. */
async function memory(
  environment: Environment,
  tasks: readonly Task[],
  wanted: number,
): Promise<{ rows: BenchRow[]; bytesPerSession: number; complete: boolean }> {
  const before = await liveBytes();
  const residentBefore = process.memoryUsage().rss;
  const { signal } = new AbortController();
  const until = performance.now() + openingSeconds * 1000;
  const indices = Array.from({ length: wanted }, (_, index) => index);
  const sessions: Session[] = [];
  await mapPool(indices, atOnce, async (index) => {
    if (performance.now() > until) return;
    const task = tasks[index % tasks.length]!;
    const session = await environment.start(task, { seed: deriveSeed("bench", index), signal });
    sessions.push(session);
    await actOnce(environment, { task, session, seed: deriveSeed("bench", index) });
  });
  const { rss } = process.memoryUsage();
  // what sandboxes hold is in threads of their own, and seen only in the process as a whole
  const bytes = Math.max(0, (await liveBytes()) - before, rss - residentBefore);
  await mapPool(sessions, atOnce, async (session) => session.close?.());
  const name = `${environment.name}, ${wanted} open at once`;
  return {
    bytesPerSession: bytes / sessions.length,
    complete: sessions.length === wanted,
    rows: [
      { case: name, unit: "sessions opened", value: sessions.length },
      { case: name, unit: "KiB/session", value: bytes / sessions.length / 1024 },
      {
        case: name,
        unit: "MiB of the whole process",
        value: rss / 2 ** 20,
        peer: "2 GiB",
        peerValue: 2048,
        ratio: 2048 / (rss / 2 ** 20),
      },
    ],
  };
}

/** The expert's first move, so that what a session makes only when it is needed is there. */
async function actOnce(
  environment: Environment,
  { task, session, seed }: { task: Task; session: Session; seed: number },
): Promise<void> {
  const { messages, tools } = session;
  const turn = await environment.experts?.["careful"]?.(task, { seed })({ messages, tools });
  const call = turn?.toolCalls?.[0];
  const tool = tools.find(({ name }) => name === call?.name);
  if (!call || !tool) return;
  const checked = await tool.check(call.arguments);
  if (checked.ok) await tool.execute(checked.value, { signal: new AbortController().signal });
}
