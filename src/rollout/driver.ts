import type { Trajectory } from "../spec/trajectory.ts";
import { type Rollout, rollout } from "./rollout.ts";

/** What became of an environment's sessions that were opened elsewhere than in this process. */
export type SessionsElsewhere = {
  environment: string;
  opened: number;
  leaked: number;
  leakedByTool: Readonly<Record<string, number>>;
};

export type Played = {
  /** In the order of the requests. */
  trajectories: Trajectory[];
  /** Sessions that this process did not see. */
  sessions: readonly SessionsElsewhere[];
  /** What the driver counted, as numbers by name for metrics.jsonl; those of several plays add up. */
  metrics: Readonly<Record<string, number>>;
};

/** Plays the episodes of a rollout, here or elsewhere: whoever learns from them does not care where. */
export interface RolloutDriver {
  play(options: Rollout): Promise<Played>;
  close(): Promise<void>;
}

/** How many processes play, as a run's progress shows it. */
export type WorkersSeen = {
  alive: number;
  /** Episodes that they can play at the same time, all together. */
  slots: number;
};

export type RolloutDriverContext = {
  /** Name of the run's config: where several runs share what plays, it tells them apart. */
  name: string;
  /** The run, for the record of each episode. */
  run: string;
  /** Texts from which a process elsewhere makes the run's renderer, by file name. */
  rendererFiles: Readonly<Record<string, string>>;
  onWorkers(seen: WorkersSeen): void;
};

/** Where a run's episodes are played; `rollouts` of its config. */
export type RolloutDriverFactory = {
  name: string;
  open(context: RolloutDriverContext): Promise<RolloutDriver>;
};

/** Episodes are played in the process that trains. */
export const inProcess: RolloutDriverFactory = {
  name: "in-process",
  open: async () => ({
    play: async (options) => ({ trajectories: await rollout(options), sessions: [], metrics: {} }),
    close: async () => undefined,
  }),
};
