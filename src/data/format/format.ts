import type { Trajectory } from "../../spec/trajectory.ts";
import type { Feature, FormatName } from "./carries.ts";

export type ExportOptions = {
  /**
   * What to do with a trajectory of several leaves where a format knows one path only: refuse it, write a row for
   * each path, or write the path that the episode came to.
   */
  branches?: "refuse" | "split" | "main";
  /** Features that may be left out although the format would refuse a trajectory for them. */
  without?: readonly Feature[];
  /** Writes calls and results as text where a format has no place for them (`Action:` and `Observation:`). */
  callsAsText?: boolean;
  /** Rows of a shard, where a format writes several files. */
  shardRows?: number;
  /** Hears of everything that was left out, once for each trajectory and feature. */
  tell?: (feature: Feature, trajectory: string) => void;
};

/** A piece of a file of an export. `file` is empty where the export is one file, else a path in its folder. */
export type Part = { file: string; bytes: Uint8Array };

export type ImportOptions = {
  /** Hears of what a file holds that has no place in a trajectory. */
  warn?: (message: string) => void;
};

/** A format that others read or write. Both ways stream and hold a few trajectories at a time. */
export type Format = {
  name: FormatName;
  about: string;
  output: "file" | "folder";
  write(trajectories: AsyncIterable<Trajectory>, options?: ExportOptions): AsyncIterable<Part>;
  read(path: string, options?: ImportOptions): AsyncIterable<Trajectory>;
};
