import { mapPool } from "../kit/pool.ts";
import { quantile } from "../kit/statistics.ts";
import type { Environment, Player, Task } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";

export type LoadReport = {
  /** Sessions that were to be open at the same time, and the most that were. */
  concurrency: number;
  openAtOnce: number;
  episodes: number;
  /** Episodes whose world failed. */
  broken: number;
  episodesPerSecond: number;
  /** Milliseconds from asking for a session to having it. */
  startMs: { p50: number; p95: number; p99: number };
};

export type LoadTest = {
  environment: Environment;
  tasks: readonly Task[];
  /** Episodes at a time; the first so many are all held until every one has its session. */
  concurrency: number;
  /** Milliseconds after which those that have one go on without the others. */
  patienceMs: number;
  playerFor(task: Task, index: number): Player;
  play(episode: { environment: Environment; task: Task; index: number; player: Player }): Promise<Trajectory>;
};

/** Plays every task, and at least `concurrency` episodes, with that many sessions open at once. */
export async function loadTest({
  environment,
  tasks,
  concurrency,
  patienceMs,
  playerFor,
  play,
}: LoadTest): Promise<{ report: LoadReport; trajectories: Trajectory[] }> {
  const episodes = Array.from(
    { length: Math.max(concurrency, tasks.length) },
    (_, index) => tasks[index % tasks.length]!,
  );
  const startMs: number[] = [];
  let open = 0;
  let openAtOnce = 0;
  const gate = Promise.withResolvers<void>();
  const timer = setTimeout(gate.resolve, patienceMs);
  let begun = 0;
  const begin = () => {
    if (++begun === concurrency) gate.resolve();
  };
  const { play: playOwn } = environment;
  const counted: Environment = {
    ...environment,
    // an agent with a loop of its own has no session; its episode counts as one
    ...(playOwn && {
      async play(episode) {
        openAtOnce = Math.max(openAtOnce, ++open);
        begin();
        try {
          return await playOwn(episode);
        } finally {
          open--;
        }
      },
    }),
    async start(task, context) {
      const askedAt = performance.now();
      try {
        const session = await environment.start(task, context);
        openAtOnce = Math.max(openAtOnce, ++open);
        return {
          ...session,
          close() {
            open--;
            return session.close?.();
          },
        };
      } finally {
        startMs.push(performance.now() - askedAt);
        begin();
      }
    },
  };
  const startedAt = performance.now();
  const trajectories = await mapPool(episodes, concurrency, (task, index) => {
    const player = playerFor(task, index);
    const held: Player = async (turn) => {
      await gate.promise;
      return player(turn);
    };
    return play({ environment: counted, task, index, player: held });
  });
  clearTimeout(timer);
  const seconds = (performance.now() - startedAt) / 1000;
  const at = (share: number) => (startMs.length === 0 ? 0 : quantile(startMs, share));
  const broken = trajectories.filter(
    ({ status }) => status === "environment_error" || status === "timeout",
  ).length;
  return {
    trajectories,
    report: {
      concurrency,
      openAtOnce,
      episodes: episodes.length,
      broken,
      episodesPerSecond: episodes.length / seconds,
      startMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    },
  };
}
