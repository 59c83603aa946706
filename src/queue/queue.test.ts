import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bell, seededPolicy } from "../../test/fixtures/workers.config.ts";
import { type RedisServer, startRedis, whyNoRedis } from "../../test/redis-server.ts";
import { takeTasks } from "../data/tasks.ts";
import type { RolloutDriver } from "../rollout/driver.ts";
import { toRequests } from "../rollout/groups.ts";
import { type Rollout, rollout } from "../rollout/rollout.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { grade } from "../train/grade.ts";
import { openDispatcher } from "./dispatcher.ts";
import { connectRedis } from "./redis.ts";
import { startWorker } from "./worker.ts";

const reason = whyNoRedis();
if (reason) process.stderr.write(`rollout workers are not tested: ${reason}\n`);

const config = join(import.meta.dirname, "../../test/fixtures/workers.config.ts");
const main = join(import.meta.dirname, "../cli/main.ts");

/** A step's rollout in the fixture's world. */
function step(changes: Partial<Rollout> = {}, { tasks = 4, number = 0 } = {}): Rollout {
  return {
    environments: [bell],
    requests: toRequests({
      tasks: takeTasks({
        environments: [bell],
        split: "train",
        count: tasks,
        seed: 5,
        whenUsedUp: "stop",
      }),
      groupSize: 4,
      step: number,
      runSeed: 7,
      sampling: { temperature: 1 },
    }),
    policy: seededPolicy({ version: 2 }),
    renderer: byteRenderer,
    limits: { turns: 4 },
    grade,
    concurrency: 16,
    order: "lockstep",
    retry: { attempts: 2, firstDelayMs: 10 },
    ...changes,
  };
}

/** Without what a clock says: it is nobody's seed. */
const timeless = (trajectories: readonly Trajectory[]) =>
  trajectories.map(({ timing: _timing, calls, ...rest }) => ({
    ...rest,
    calls: calls.map(({ latencyMs: _latency, ...call }) => call),
  }));

describe.skipIf(reason !== undefined)("workers", () => {
  let redis: RedisServer;
  const processes = new Set<ChildProcess>();
  const drivers: RolloutDriver[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    for (const child of processes) child.kill("SIGKILL");
    processes.clear();
    for (const driver of drivers.splice(0)) await driver.close();
  });
  afterAll(() => redis.stop());

  /** A real `attune worker`, and what it has said. */
  function spawnWorker(environment: Record<string, string> = {}, ...options: string[]) {
    const child = spawn(
      process.execPath,
      [main, "worker", config, "--redis", redis.url, "--lease", "1", ...options],
      { env: { ...process.env, ...environment }, stdio: ["ignore", "ignore", "pipe"] },
    );
    processes.add(child);
    const worker = { child, said: "", exited: new Promise((resolve) => child.on("exit", resolve)) };
    child.stderr.on("data", (data: Buffer) => {
      worker.said += data.toString();
    });
    return worker;
  }

  async function open(changes: Partial<Parameters<typeof openDispatcher>[0]> = {}) {
    const seen: { alive: number; slots: number }[] = [];
    const driver = await openDispatcher({
      redis: redis.url,
      queue: "bells",
      run: "bells-1",
      rendererFiles: {},
      onWorkers: (each) => seen.push(each),
      ...changes,
    });
    drivers.push(driver);
    return { driver, seen };
  }

  async function until(what: string, happened: () => boolean | Promise<boolean>): Promise<void> {
    const startedAt = performance.now();
    while (!(await happened())) {
      if (performance.now() - startedAt > 30_000) throw new Error(`not in 30 s: ${what}`);
      await wait(20);
    }
  }

  it("play a step as the trainer's own process would, wherever an episode is played", async () => {
    const here = await rollout(step());
    expect(here.some(({ attempt }) => attempt > 0)).toBe(true);
    spawnWorker({}, "--concurrency", "3");
    spawnWorker({}, "--concurrency", "3");
    const { driver, seen } = await open();
    await until("two workers", () => seen.at(-1)?.alive === 2);
    expect(seen.at(-1)).toEqual({ alive: 2, slots: 6 });
    const told: string[] = [];
    const retried: string[] = [];
    const { trajectories, sessions, metrics } = await driver.play(
      step({
        onEpisode: ({ id }) => told.push(id),
        onRetry: ({ id }) => retried.push(id),
      }),
    );
    expect(timeless(trajectories)).toEqual(timeless(here));
    expect(told.sort()).toEqual(here.map(({ id }) => id).sort());
    const attempts = here.length + retried.length;
    expect(retried.length).toBeGreaterThan(0);
    expect(sessions).toEqual([{ environment: "bell", opened: attempts, leaked: 0, leakedByTool: {} }]);
    expect(metrics).toEqual({
      "workers/duplicates": 0,
      "workers/lost": 0,
      "workers/refused": 0,
      "workers/replayed": 0,
    });
  });

  it("lose nothing and count nothing twice when one is killed in the middle of its episodes", async () => {
    const here = await rollout(step());
    const log = join(mkdtempSync(join(tmpdir(), "attune-workers-")), "log");
    const lines = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
    const slow = { BELL_LATENCY_MS: "300", BELL_LOG: log };
    const first = spawnWorker(slow, "--concurrency", "4");
    const { driver } = await open();
    const told: string[] = [];
    const playing = driver.play(step({ onEpisode: ({ id }) => told.push(id) }));
    await until("some episodes begun, some done", () => lines().length > 6 && told.length > 0);
    first.child.kill("SIGKILL");
    await first.exited;
    spawnWorker(slow, "--concurrency", "8");
    const { trajectories, metrics } = await playing;
    expect(timeless(trajectories)).toEqual(timeless(here));
    expect(told.sort()).toEqual(here.map(({ id }) => id).sort());
    expect(metrics["workers/replayed"]).toBeGreaterThan(0);
    expect(metrics["workers/lost"]).toBe(0);
  });

  it("take over from one that hangs, and what that one says later is not counted", async () => {
    const here = await rollout(step());
    const slow = { BELL_LATENCY_MS: "200" };
    const hanging = spawnWorker(slow, "--concurrency", "4");
    const { driver, seen } = await open();
    const told: string[] = [];
    const playing = driver.play(step({ onEpisode: ({ id }) => told.push(id) }));
    await until("an episode", () => told.length > 0);
    hanging.child.kill("SIGSTOP");
    await until("its heartbeat missed", () => seen.at(-1)?.alive === 0);
    spawnWorker(slow, "--concurrency", "8");
    const { trajectories, metrics } = await playing;
    expect(metrics["workers/replayed"]).toBeGreaterThan(0);
    hanging.child.kill("SIGCONT");
    await until("both alive", () => seen.at(-1)?.alive === 2);
    const next = await driver.play(step({}, { number: 1 }));
    expect(timeless(trajectories)).toEqual(timeless(here));
    expect(next.trajectories.map(({ step: of }) => of)).toEqual(next.trajectories.map(() => 1));
    expect(told).toHaveLength(here.length);
  });

  it("leave off what is not wanted any more, and play on for the next step", async () => {
    const worker = spawnWorker({ BELL_LATENCY_MS: "5000" }, "--concurrency", "2");
    const { driver, seen } = await open();
    await until("a worker", () => seen.at(-1)?.alive === 1);
    const stop = new AbortController();
    const playing = driver.play(step({ signal: stop.signal }));
    await wait(500);
    stop.abort(new Error("enough"));
    await expect(playing).rejects.toThrow("enough");
    await until("the episodes dropped", () => worker.said.match(/dropped: nobody waits/g)?.length === 2);
    const connection = await connectRedis(redis.url);
    expect(await connection.llen("attune:bells:wait")).toBe(0);
    connection.disconnect();
    worker.child.kill("SIGKILL");
    await worker.exited;
    spawnWorker({}, "--concurrency", "8");
    const { trajectories } = await driver.play(step({}, { tasks: 1 }));
    expect(trajectories).toHaveLength(4);
  });

  it("stop the rollout for what is not the world's doing: a policy that fails, a worker of another config", async () => {
    spawnWorker();
    const { driver } = await open({ attempts: 2 });
    const breaking = (times: number) => seededPolicy({ version: 2, times: () => times });
    const { trajectories } = await driver.play(step({ policy: breaking(2) }, { tasks: 1 }));
    expect(trajectories.map(({ reward }) => reward)).toContain(0.4);
    const broken = {
      ...breaking(1),
      sample: async () => {
        throw new Error("the engine has stopped\nsomewhere");
      },
    };
    await expect(driver.play(step({ policy: broken }))).rejects.toThrow("the engine has stopped");
    const elsewhere = { ...bell, name: "another" };
    const requests = step().requests.map((request) => ({
      ...request,
      task: { ...request.task, environment: "another" },
    }));
    await expect(driver.play(step({ environments: [elsewhere], requests }))).rejects.toThrow(
      /tried 2 times: this worker knows no environment "another", only bell: expected the config of the run/,
    );
  });

  it("give an episode up that kills whoever plays it, without a reward", { timeout: 120_000 }, async () => {
    const { driver } = await open();
    const deadly = step({ policy: seededPolicy({ times: () => 13 }) }, { tasks: 1 });
    let over = false;
    const playing = driver.play({ ...deadly, requests: deadly.requests.slice(0, 1) }).finally(() => {
      over = true;
    });
    while (!over) {
      const worker = spawnWorker();
      await Promise.race([worker.exited, playing]);
    }
    const { trajectories, metrics } = await playing;
    expect(trajectories).toMatchObject([{ status: "environment_error", reward: null, nodes: [] }]);
    expect(trajectories[0]!.error).toContain("every worker that played it was lost");
    expect(metrics["workers/lost"]).toBe(1);
  });

  it("go on when Redis is started anew and has forgotten everything", { timeout: 120_000 }, async () => {
    const own = await startRedis();
    const { driver, seen } = await open({ redis: own.url });
    const worker = await startWorker({
      redis: own.url,
      queue: "bells",
      environments: [bell],
      grade,
      renderer: () => byteRenderer,
      slots: 2,
      leaseMs: 1000,
    });
    await until("a worker", () => seen.at(-1)?.alive === 1);
    const told: string[] = [];
    const playing = driver.play(step({ onEpisode: ({ id }) => told.push(id) }));
    await until("an episode", () => told.length > 2);
    await own.stop();
    const again = await startRedis({ port: Number(new URL(own.url).port) });
    const { trajectories } = await playing;
    expect(timeless(trajectories)).toEqual(timeless(await rollout(step())));
    expect(told).toHaveLength(trajectories.length);
    await worker.close();
    await drivers.pop()!.close();
    await again.stop();
  });

  it("may be given a policy of their own, and play nothing with one of another version", async () => {
    const wanted: number[] = [];
    let version = 1;
    const worker = await startWorker({
      redis: redis.url,
      queue: "own",
      environments: [bell],
      grade,
      renderer: () => byteRenderer,
      leaseMs: 1000,
      async policyFor(job) {
        wanted.push(job.version);
        return { policy: seededPolicy({ version }), renderer: byteRenderer };
      },
    });
    const { driver } = await open({ queue: "own", attempts: 2 });
    await expect(driver.play(step({}, { tasks: 1 }))).rejects.toThrow(
      "this worker's policy is version 1, expected 2",
    );
    version = 2;
    const { trajectories } = await driver.play(step());
    expect(timeless(trajectories)).toEqual(timeless(await rollout(step())));
    expect(new Set(wanted)).toEqual(new Set([2]));
    await worker.close();
  });

  it("hand back what they play when they are closed at once", async () => {
    const common = {
      redis: redis.url,
      queue: "closing",
      environments: [bell],
      grade,
      renderer: () => byteRenderer,
      leaseMs: 20_000,
    };
    const { driver } = await open({ queue: "closing" });
    const told: string[] = [];
    const playing = driver.play(step({ onEpisode: ({ id }) => told.push(id) }));
    const first = await startWorker({ ...common, slots: 4 });
    await until("an episode", () => told.length > 0);
    await first.close({ now: true });
    const startedAt = performance.now();
    const second = await startWorker({ ...common, slots: 8 });
    const { trajectories } = await playing;
    // handed back, and not waited for until their leases ran out
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(timeless(trajectories)).toEqual(timeless(await rollout(step())));
    await second.close();
  });

  it("are missed aloud: a run without any stops after its patience", async () => {
    const { driver } = await open({ queue: "nobody", patienceMs: 1000 });
    await expect(driver.play(step())).rejects.toThrow(
      /queue "nobody": no worker has been alive for 1 s; start some with: attune worker CONFIG --redis redis:/,
    );
  });
});

it("say in one line which address is none, and where nobody answers", async () => {
  await expect(connectRedis("http://127.0.0.1")).rejects.toThrow("redis: expected an address like redis://");
  await expect(connectRedis("redis://me:secret@127.0.0.1:1")).rejects.toThrow(
    /^redis redis:\/\/127.0.0.1:1: cannot be reached: .*ECONNREFUSED/,
  );
});
