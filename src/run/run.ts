import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../kit/files.ts";
import { AttuneError } from "../spec/error.ts";
import type { Json } from "../spec/json.ts";
import { openStore, type TrajectoryStore } from "../trajectory/directory-store.ts";
import { runLayout } from "./layout.ts";
import { initialProgress, type Progress, progressSchema } from "./progress.ts";

const manifestSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  name: z.string(),
  seed: z.number(),
  createdAt: z.string(),
  attune: z.string(),
  node: z.string(),
});

export type RunManifest = z.infer<typeof manifestSchema>;

/** One line of metrics.jsonl: which step it speaks of, then numbers by name. */
export type MetricsRecord = {
  stage: string;
  stageIndex: number;
  step: number;
  [metric: string]: number | string;
};

/** An open run directory. Holds its lock until closed. */
export type Run = {
  directory: string;
  manifest: RunManifest;
  layout: ReturnType<typeof runLayout>;
  progress(): Progress;
  /** What was played, kept under the names of stages and evaluations. */
  trajectories: TrajectoryStore;
  /**
   * Declares a checkpoint complete, and removes the ones that neither `keep` names nor progress needs. What was
   * played for it is on the disk before.
   */
  commit(progress: Progress, options: { keep: (checkpoint: string) => boolean }): Promise<void>;
  appendMetrics(record: MetricsRecord): void;
  writeJson(path: string, value: Json): void;
  /** The config the run was started with, as plain data. */
  readConfig(): Json;
  /** The stored report of an evaluation, if it has been made. */
  readEvaluation(label: string): Json | undefined;
  /**
   * Forgets metrics and trajectories of steps that the last checkpoint does not know: they will be done again.
   * `stages` are the run's stage names in order.
   */
  rewind(stages: readonly string[]): Promise<void>;
  close(): Promise<void>;
};

/** Makes `root/NAME-1`, or the next number that is free. */
export function createRun(options: {
  root: string;
  name: string;
  seed: number;
  config: Json;
  version: string;
  now: Date;
}): Run {
  const { root, name } = options;
  mkdirSync(root, { recursive: true });
  let number = 1;
  while (existsSync(join(root, `${name}-${number}`))) number++;
  const directory = join(root, `${name}-${number}`);
  mkdirSync(directory);
  const layout = runLayout(directory);
  const manifest: RunManifest = {
    format: 1,
    id: basename(directory),
    name,
    seed: options.seed,
    createdAt: options.now.toISOString(),
    attune: options.version,
    node: process.version,
  };
  writeFileAtomic(layout.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileAtomic(layout.config, `${JSON.stringify(options.config, null, 2)}\n`);
  writeFileAtomic(layout.progress, JSON.stringify(initialProgress));
  return open(directory, manifest);
}

/** Opens a run to go on with it. Refuses one that another live process has open. */
export function openRun(directory: string): Run {
  return open(directory, readManifest(directory));
}

export function readManifest(directory: string): RunManifest {
  return readValidated(runLayout(directory).manifest, manifestSchema, "a run's manifest");
}

export function readProgress(directory: string): Progress {
  return readValidated(runLayout(directory).progress, progressSchema, "a run's progress");
}

/** Names of the run directories under a root, newest first. */
export function listRuns(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => existsSync(runLayout(join(root, name)).manifest))
    .map((name) => ({ name, createdAt: readManifest(join(root, name)).createdAt }))
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .map(({ name }) => name);
}

function open(directory: string, manifest: RunManifest): Run {
  const layout = runLayout(directory);
  const release = acquireLock(layout.lock, directory);
  const trajectories = openStore(layout.trajectories);
  return {
    directory,
    manifest,
    layout,
    trajectories,
    progress: () => readProgress(directory),
    async commit(progress, { keep }) {
      await trajectories.sync();
      writeFileAtomic(layout.progress, JSON.stringify(progress));
      for (const name of existsSync(layout.checkpoints) ? readdirSync(layout.checkpoints) : []) {
        if (name !== progress.checkpoint && !keep(name))
          rmSync(layout.checkpoint(name), { recursive: true, force: true });
      }
    },
    appendMetrics: (record) => appendFileSync(layout.metrics, `${JSON.stringify(record)}\n`),
    writeJson: (path, value) => writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`),
    readConfig: () => readJson(layout.config) as Json,
    readEvaluation: (label) =>
      existsSync(layout.evaluation(label)) ? (readJson(layout.evaluation(label)) as Json) : undefined,
    async rewind(stages) {
      const { stageIndex, stepsDone } = readProgress(directory);
      keepLines(layout.metrics, (record) => {
        const line = record as MetricsRecord;
        return line.stageIndex < stageIndex || (line.stageIndex === stageIndex && line.step < stepsDone);
      });
      for (const [index, stage] of stages.entries()) {
        if (index === stageIndex) await trajectories.cut(stage, ({ step }) => step < stepsDone);
        if (index > stageIndex) await trajectories.remove(stage);
      }
    },
    async close() {
      try {
        await trajectories.close();
      } finally {
        release();
      }
    },
  };
}

/** Cuts an append-only JSONL file at the first line that is torn or not to be kept. */
function keepLines(path: string, keep: (value: unknown) => boolean): void {
  if (!existsSync(path)) return;
  const content = readFileSync(path);
  let end = 0;
  while (end < content.length) {
    const newline = content.indexOf(10, end);
    if (newline === -1) break;
    try {
      if (!keep(JSON.parse(content.toString("utf8", end, newline)))) break;
    } catch {
      break;
    }
    end = newline + 1;
  }
  truncateSync(path, end);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new AttuneError("input", `${path}: expected a JSON file, got: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function readValidated<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(readJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new AttuneError(
      "input",
      `${path}: expected ${what}, but ${issue.path.join(".") || "it"}: ${issue.message}`,
    );
  }
  return parsed.data;
}

/** A lock file holds the process id of its owner; one whose owner is gone is taken over. */
function acquireLock(path: string, directory: string): () => void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      let held = true;
      return () => {
        if (held) rmSync(path, { force: true });
        held = false;
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(readFileSync(path, "utf8"));
      if (isAlive(owner)) {
        throw new AttuneError("usage", `${directory}: process ${owner} has this run open; stop it first`);
      }
      rmSync(path, { force: true });
    }
  }
  throw new AttuneError("io", `${path}: cannot take the lock`);
}

function isAlive(processId: number): boolean {
  if (!Number.isInteger(processId) || processId <= 0 || processId === process.pid)
    return processId === process.pid;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
