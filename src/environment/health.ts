import { mapPool } from "../kit/pool.ts";
import { deriveSeed } from "../kit/random.ts";
import { mean, standardDeviation } from "../kit/statistics.ts";
import { toolTable } from "../monitor/tool-table.ts";
import type { Environment, Player, Task } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { adversarialAnswers } from "./adversarial-answers.ts";
import { nullPlayer, randomPlayer } from "./baseline-players.ts";
import { checkTasks } from "./check-tasks.ts";
import {
  differences,
  sameSpeech,
  sessionFindings,
  shareOf,
  told,
  toolFindings,
  unsolvedFindings,
  worldFailed,
} from "./health-findings.ts";
import {
  type HealthOptions,
  type HealthReport,
  type HealthThresholds,
  healthDefaults,
  type Play,
} from "./health-report.ts";
import { type LoadReport, loadTest } from "./load-test.ts";
import { probe } from "./probe.ts";
import { watchSessions } from "./watch-sessions.ts";

export type { HealthOptions, HealthReport, Play } from "./health-report.ts";

/** Episodes at a time outside of the load test. */
const mostAtATime = 8;

type NewPlayer = (task: Task, seed: number) => Player;

/**
 * Whether a world can be learnt from: its splits are apart and repeat with a seed, the careful expert solves every
 * task, players that know nothing earn little, the same actions lead to the same end however many play at once, the
 * world holds under load, no tool breaks, and every session is closed once even when the player fails. Costs `tasks`
 * episodes for each player and at least `concurrency` for the load test.
 */
export async function checkEnvironment(
  environment: Environment,
  options: HealthOptions,
): Promise<HealthReport> {
  const settings = { ...healthDefaults, ...options };
  const { play, tasks: count, seed, concurrency, attempts, fullReward, baselineShare } = settings;
  const { watched, count: sessions, openByTool } = watchSessions(environment);
  const findings: string[] = [];
  const rewards: Record<string, number> = {};
  const played: Trajectory[] = [];
  const retried: Trajectory[] = [];
  let load: LoadReport | null = null;
  let unusedTools: string[] = [];
  const limits = {
    wallTimeMs: Math.min(
      settings.episodeTimeoutMs,
      environment.limits?.wallTimeMs ?? Number.POSITIVE_INFINITY,
    ),
    ...(settings.toolTimeoutMs !== undefined && { toolTimeoutMs: settings.toolTimeoutMs }),
  };
  const thresholds: HealthThresholds = {
    fullReward,
    baselineShare,
    infrastructureFailures: settings.infrastructureFailures,
    ...(settings.toolP99Ms !== undefined && { toolP99Ms: settings.toolP99Ms }),
  };
  const report = (): HealthReport => {
    const tools = toolTable({ played, retried, leakedSessions: openByTool() });
    findings.push(...toolFindings(tools, thresholds), ...sessionFindings(sessions, thresholds));
    return {
      environment: environment.name,
      ok: findings.length === 0,
      findings: [...new Set(findings)],
      thresholds,
      rewards,
      tools,
      unusedTools: unusedTools.filter((name) => !(name in tools)),
      load,
      sessions: {
        opened: sessions.opened,
        closed: sessions.closed,
        failedStarts: sessions.failedStarts,
        leaked: sessions.opened - sessions.closed,
      },
      retries: retried.length,
    };
  };

  // tasks, and what their sessions offer
  const train = checkTasks(environment, { split: "train", count, seed });
  const test = checkTasks(environment, { split: "test", count, seed });
  findings.push(...train.findings, ...test.findings);
  const trainIds = new Set(train.tasks.map(({ id }) => id));
  const shared = test.tasks.find(({ id }) => trainIds.has(id));
  if (shared) findings.push(`task ${shared.id} is in both splits`);
  const { tasks } = train;
  if (tasks.length === 0) return report();
  const timeoutMs = limits.wallTimeMs;
  const probed = await probe(watched, { tasks: tasks.slice(0, 3), seed, timeoutMs });
  findings.push(...probed.findings);
  unusedTools = probed.offered;
  if (probed.hopeless) return report();

  // players
  const seedOf = (index: number) => deriveSeed(seed, "health", index % tasks.length);
  const playOne = async (task: Task, index: number, newPlayer: NewPlayer): Promise<Trajectory> => {
    for (let attempt = 0; ; attempt++) {
      const player = newPlayer(task, seedOf(index));
      const episode = { environment: watched, task, player, seed: seedOf(index), attempt, limits };
      const trajectory = await play(episode);
      // an episode that never ends is not asked a second time
      if (trajectory.status !== "environment_error" || attempt + 1 >= attempts) return trajectory;
      retried.push(trajectory);
    }
  };
  const keep = (name: string, trajectories: readonly Trajectory[]) => {
    played.push(...trajectories);
    const graded = trajectories.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    if (graded.length > 0 || trajectories.length > 0) rewards[name] = graded.length === 0 ? 0 : mean(graded);
    const broken = trajectories.filter(({ reward }) => reward === null);
    if (broken.length > 0)
      findings.push(`${name}: ${shareOf(broken, trajectories)} ended without a reward; ${told(broken[0]!)}`);
    return graded;
  };
  const playAll = async (newPlayer: NewPlayer) =>
    mapPool(tasks, Math.min(concurrency, mostAtATime), (task, index) => playOne(task, index, newPlayer));

  const careful = environment.experts?.["careful"];
  const carefulPlayer: NewPlayer | undefined = careful && ((task, own) => careful(task, { seed: own }));
  if (!careful && settings.expertRequired)
    findings.push('there is no expert "careful": nothing shows that the tasks can be done');
  const first = await playOne(tasks[0]!, 0, carefulPlayer ?? (() => nullPlayer));
  if (first.status === "timeout") {
    findings.push(`a session never ends: ${told(first)}`);
    return report();
  }
  let solved: Trajectory[] = [];
  for (const [name, expert] of Object.entries(environment.experts ?? {})) {
    const trajectories = await playAll((task, own) => expert(task, { seed: own }));
    keep(name, trajectories);
    if (name !== "careful") continue;
    solved = trajectories;
    findings.push(...unsolvedFindings(environment, trajectories, fullReward));
  }

  // load: the same episodes again, many at once, must go as they went
  const loaded = await loadTest({
    environment: watched,
    tasks,
    concurrency,
    patienceMs: Math.min(10_000, timeoutMs / 2),
    playerFor: (task, index) =>
      (carefulPlayer ?? ((_task, own) => randomPlayer({ seed: own })))(task, seedOf(index)),
    play: ({ index, ...episode }) => play({ ...episode, seed: seedOf(index), limits }),
  });
  load = loaded.report;
  played.push(...loaded.trajectories);
  if (load.broken > settings.infrastructureFailures * load.episodes)
    findings.push(
      `load: ${load.broken} of ${load.episodes} episodes broke with ${concurrency} at once; ${told(loaded.trajectories.find(worldFailed)!)}`,
    );
  findings.push(...differences(solved, loaded.trajectories));

  // players that know nothing
  const random: NewPlayer = (_task, own) => randomPlayer({ seed: own });
  const ignorant: [string, NewPlayer][] = [
    ["null", () => nullPlayer],
    ["random", random],
    ...Object.entries(adversarialAnswers).map(([name, attack]): [string, NewPlayer] => [
      name,
      (task) => attack(task, { tasks }),
    ]),
  ];
  for (const [name, newPlayer] of ignorant) {
    const trajectories = await playAll(newPlayer);
    // what the expert itself would have said is no attack
    const attacks = trajectories.filter((trajectory, index) => !sameSpeech(trajectory, solved[index]));
    const graded = keep(name, attacks);
    if (name === "random") {
      const again = await playAll(random);
      played.push(...again);
      findings.push(...differences(trajectories, again));
    }
    const declared = environment.baselines?.[name];
    const earned = rewards[name] ?? 0;
    const most = baselineShare * (rewards["careful"] ?? fullReward);
    if (declared !== undefined) {
      const slack = 0.1 + 2 * (standardDeviation(graded) / Math.sqrt(Math.max(1, graded.length)));
      if (Math.abs(earned - declared) > slack)
        findings.push(
          `${name}: earns ${earned.toFixed(3)} on average, declared ${declared.toFixed(3)} give or take ${slack.toFixed(3)}`,
        );
    } else if (earned > most)
      findings.push(`${name}: earns ${earned.toFixed(3)} on average, expected at most ${most.toFixed(3)}`);
  }

  // a player that fails
  for (const task of tasks.slice(0, 3)) await playFailing({ environment: watched, task, play, seed, limits });
  return report();
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
