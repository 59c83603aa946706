import type { ToolRow } from "../monitor/tool-table.ts";
import type { Environment, Player, RolloutLimits, Task } from "../spec/environment.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import type { LoadReport } from "./load-test.ts";
import type { SessionCount } from "./watch-sessions.ts";

/** Plays one episode and grades it; `playWithPlayer` of the rollout room, for one. */
export type Play = (episode: {
  environment: Environment;
  task: Task;
  player: Player;
  seed: number;
  /** Higher than 0 where the world failed and the episode is played again. */
  attempt?: number;
  /** What the check allows an episode beside its environment's own limits. */
  limits?: Partial<RolloutLimits>;
}) => Promise<Trajectory>;

/** What a world must keep to be called healthy. */
export type HealthThresholds = {
  /** What the heaviest reward component gives for a task wholly solved. */
  fullReward: number;
  /** Share of the careful expert's mean reward that a player who knows nothing may earn at most. */
  baselineShare: number;
  /** Share of a tool's calls, and of the episodes under load, that the world may fail. */
  infrastructureFailures: number;
  /** Milliseconds that a hundredth of a tool's calls may exceed. */
  toolP99Ms?: number;
};

export type HealthOptions = Partial<HealthThresholds> & {
  play: Play;
  /** Tasks that each player plays. */
  tasks?: number;
  seed?: number;
  /** Sessions open at once in the load test. */
  concurrency?: number;
  /** Attempts at an episode whose world fails. */
  attempts?: number;
  /** Milliseconds after which an episode counts as one that never ends. */
  episodeTimeoutMs?: number;
  /** Milliseconds a tool call may take that says nothing of its own. */
  toolTimeoutMs?: number;
  /** Whether a world without an expert "careful" is a finding. */
  expertRequired?: boolean;
};

export type HealthReport = {
  environment: string;
  ok: boolean;
  /** One line for each thing that is wrong; empty when `ok`. */
  findings: string[];
  thresholds: HealthThresholds;
  /** Mean reward by player: the experts, then the players that must not earn much. */
  rewards: Record<string, number>;
  /** Every tool that was called, over all players. */
  tools: Record<string, ToolRow>;
  /** Tools that are offered and that nobody called. */
  unusedTools: string[];
  load: LoadReport | null;
  sessions: Pick<SessionCount, "opened" | "closed" | "failedStarts"> & { leaked: number };
  /** Attempts that were thrown away because the world failed. */
  retries: number;
};

export const healthDefaults = {
  tasks: 50,
  seed: 0,
  concurrency: 64,
  attempts: 3,
  episodeTimeoutMs: 30_000,
  fullReward: 1,
  baselineShare: 0.2,
  infrastructureFailures: 0.01,
  expertRequired: true,
} as const;
