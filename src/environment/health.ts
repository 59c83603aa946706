import { isDeepStrictEqual } from "node:util";
import { mapPool } from "../kit/pool.ts";
import { deriveSeed } from "../kit/random.ts";
import { mean, quantile } from "../kit/statistics.ts";
import type { Environment, Player, Task } from "../spec/environment.ts";
import type { ToolFailureKind } from "../spec/tool.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { baselinePlayers } from "./baseline-players.ts";
import { checkTasks } from "./check-tasks.ts";
import { watchSessions } from "./watch-sessions.ts";

/** Plays one episode and grades it; `playWithPlayer` of the rollout room, for one. */
export type Play = (episode: {
  environment: Environment;
  task: Task;
  player: Player;
  seed: number;
}) => Promise<Trajectory>;

export type HealthOptions = {
  play: Play;
  /** Tasks that each player plays. */
  tasks?: number;
  seed?: number;
  /** Episodes at a time. */
  concurrency?: number;
  /** What the heaviest reward component gives for a task wholly solved. */
  fullReward?: number;
  /** Share of the careful expert's mean reward that a baseline player may earn at most. */
  baselineShare?: number;
};

export type ToolHealth = {
  calls: number;
  failures: Record<ToolFailureKind, number>;
  latencyMs: { p50: number; p95: number; p99: number };
};

export type HealthReport = {
  environment: string;
  ok: boolean;
  /** One line for each thing that is wrong; empty when `ok`. */
  findings: string[];
  /** Mean reward by player: the experts, then the baselines that must not earn much. */
  rewards: Record<string, number>;
  /** Every tool that was called, over all players. */
  tools: Record<string, ToolHealth>;
  sessions: { opened: number; closed: number };
};

export const healthDefaults = {
  tasks: 50,
  seed: 0,
  concurrency: 8,
  fullReward: 1,
  baselineShare: 0.2,
} as const;

/**
 * Whether a world can be learnt from: its splits are apart and repeat with a seed, the careful expert solves every
 * task, players that know nothing earn little, the same actions lead to the same end, no tool breaks, and every
 * session is closed once even when the player fails. Costs `tasks` episodes for each player.
 */
export async function checkEnvironment(
  environment: Environment,
  options: HealthOptions,
): Promise<HealthReport> {
  const {
    play,
    tasks: count,
    seed,
    concurrency,
    fullReward,
    baselineShare,
  } = { ...healthDefaults, ...options };
  const { watched, count: sessions } = watchSessions(environment);
  const findings: string[] = [];
  const rewards: Record<string, number> = {};
  const played: Trajectory[] = [];

  // tasks
  const train = checkTasks(environment, { split: "train", count, seed });
  const test = checkTasks(environment, { split: "test", count, seed });
  findings.push(...train.findings, ...test.findings);
  const trainIds = new Set(train.tasks.map(({ id }) => id));
  const shared = test.tasks.find(({ id }) => trainIds.has(id));
  if (shared) findings.push(`task ${shared.id} is in both splits`);

  // players
  if (!environment.experts?.careful)
    findings.push('there is no expert "careful": nothing shows that the tasks can be done');
  const playAll = async (name: string, playerFor: (task: Task, seed: number) => Player) => {
    const trajectories = await mapPool(train.tasks, concurrency, (task, index) => {
      const episodeSeed = deriveSeed(seed, "health", index);
      return play({ environment: watched, task, player: playerFor(task, episodeSeed), seed: episodeSeed });
    });
    const graded = trajectories.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    rewards[name] = graded.length === 0 ? 0 : mean(graded);
    const broken = trajectories.filter(({ reward }) => reward === null);
    if (broken.length > 0)
      findings.push(`${name}: ${shareOf(broken, trajectories)} ended without a reward; ${told(broken[0]!)}`);
    played.push(...trajectories);
    return trajectories;
  };
  for (const [name, expert] of Object.entries(environment.experts ?? {})) {
    const playerFor = (task: Task, seed: number) => expert(task, { seed });
    const trajectories = await playAll(name, playerFor);
    if (name !== "careful") continue;
    const outcome = heaviest(environment);
    const unsolved = trajectories.filter(
      ({ rewards, reward }) => reward !== null && !((rewards[outcome] ?? Number.NaN) >= fullReward - 1e-9),
    );
    if (unsolved.length > 0)
      findings.push(
        `careful: ${shareOf(unsolved, trajectories)} did not earn ${fullReward} of "${outcome}"; ${told(unsolved[0]!)}`,
      );
    findings.push(...differences(trajectories, await playAll(name, playerFor)));
  }
  for (const [name, baseline] of Object.entries(baselinePlayers)) {
    const playerFor = (task: Task, seed: number) => baseline(task, { seed });
    const trajectories = await playAll(name, playerFor);
    if (name === "random") findings.push(...differences(trajectories, await playAll(name, playerFor)));
    const most = baselineShare * (rewards.careful ?? fullReward);
    if (rewards[name]! > most)
      findings.push(
        `${name}: earns ${rewards[name]!.toFixed(3)} on average, expected at most ${most.toFixed(3)}`,
      );
  }

  // tools
  const tools = toolTable(played);
  for (const [name, { calls, failures }] of Object.entries(tools)) {
    const broken = failures.timeout + failures.infrastructure;
    if (broken > 0) findings.push(`tool "${name}" broke in ${broken} of ${calls} calls`);
  }

  // sessions
  for (const task of train.tasks.slice(0, 3)) await playFailing({ environment: watched, task, play, seed });
  if (sessions.reused > 0) findings.push(`${sessions.reused} starts gave a session that was used before`);
  if (sessions.closedAgain > 0) findings.push(`${sessions.closedAgain} sessions were closed twice`);
  if (sessions.closed !== sessions.opened)
    findings.push(`${sessions.opened - sessions.closed} of ${sessions.opened} sessions were never closed`);

  return {
    environment: environment.name,
    ok: findings.length === 0,
    findings,
    rewards,
    tools,
    sessions: { opened: sessions.opened, closed: sessions.closed },
  };
}

/** An episode whose player fails in its first turn: the session must be closed all the same. */
async function playFailing(episode: Omit<Parameters<Play>[0], "player"> & { play: Play }): Promise<void> {
  const failure = new Error("a player that fails on purpose");
  try {
    await episode.play({
      ...episode,
      player: () => {
        throw failure;
      },
    });
  } catch (error) {
    if (error !== failure && (error as Error).cause !== failure) throw error;
  }
}

/** Where two plays of the same tasks with the same seeds and players parted. */
function differences(first: readonly Trajectory[], second: readonly Trajectory[]): string[] {
  const index = first.findIndex(
    (trajectory, at) => !isDeepStrictEqual(course(trajectory), course(second[at]!)),
  );
  return index === -1
    ? []
    : [`task ${first[index]!.task.id} went another way when the same actions were taken again`];
}

const course = ({ nodes, status, outcome, rewards, reward }: Trajectory) => ({
  messages: nodes.map(({ message }) => message),
  status,
  outcome,
  rewards,
  reward,
});

function heaviest({ rewards }: Environment): string {
  const names = Object.keys(rewards);
  return names.reduce(
    (best, name) => (rewards[name]!.weight > rewards[best]!.weight ? name : best),
    names[0]!,
  );
}

function toolTable(trajectories: readonly Trajectory[]): Record<string, ToolHealth> {
  const calls = Map.groupBy(
    trajectories.flatMap((trajectory) => {
      const offered = new Set(trajectory.tools.map(({ name }) => name));
      return trajectory.calls.filter(({ name }) => offered.has(name));
    }),
    ({ name }) => name,
  );
  return Object.fromEntries(
    [...calls].map(([name, made]) => {
      const failed = (kind: ToolFailureKind) => made.filter(({ failure }) => failure === kind).length;
      const latencies = made.map(({ latencyMs }) => latencyMs);
      return [
        name,
        {
          calls: made.length,
          failures: {
            invalid_arguments: failed("invalid_arguments"),
            tool_error: failed("tool_error"),
            timeout: failed("timeout"),
            infrastructure: failed("infrastructure"),
          },
          latencyMs: {
            p50: quantile(latencies, 0.5),
            p95: quantile(latencies, 0.95),
            p99: quantile(latencies, 0.99),
          },
        },
      ];
    }),
  );
}

const shareOf = (some: readonly unknown[], all: readonly unknown[]) =>
  `${some.length} of ${all.length} episodes`;

const told = ({ task, status, error }: Trajectory) =>
  `the first on task ${task.id} (${task.kind}): ${error ?? status}`;
