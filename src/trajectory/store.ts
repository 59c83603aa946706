import { existsSync, statSync } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type JsonLine, readJsonLines } from "../kit/jsonl.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { openStore } from "./directory-store.ts";
import { type FileWindow, openWindow } from "./file-window.ts";
import { decodeTrajectory, toStoredLine } from "./stored-line.ts";

/**
 * Adds trajectories to a JSONL file, one to a line; token ids and log-probabilities as base64 of their typed arrays
 * (little endian), which is exact and a third of the size of decimal numbers. What a crash left of a last line is
 * cut off first, so that it cannot spoil the line that follows.
 */
export async function appendTrajectories(path: string, trajectories: readonly Trajectory[]): Promise<void> {
  if (trajectories.length === 0) return;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  try {
    await cutTornLine(file);
    for (const trajectory of trajectories) await file.appendFile(`${JSON.stringify(trajectory, encode)}\n`);
  } finally {
    await file.close();
  }
}

/**
 * Streams the trajectories of a file, or of a folder that is a store. A file may stand for itself or be a segment of
 * a store with its arrays beside it. A torn last line is skipped; anything else that is wrong names its line.
 */
export async function* readTrajectories(path: string): AsyncGenerator<Trajectory> {
  if (existsSync(path) && statSync(path).isDirectory()) {
    yield* openStore(path).trajectories();
    return;
  }
  let arrays: FileWindow | undefined;
  try {
    for await (const { line, value } of linesOf(path)) {
      const where = `${path}:${line}`;
      const stored = toStoredLine(value, where);
      if (stored.place) arrays ??= await openArraysBeside(path, where);
      const bytes = stored.place && (await arrays!.read(stored.place[0], stored.place[1]));
      yield decodeTrajectory(stored, bytes, where);
    }
  } finally {
    await arrays?.close();
  }
}

async function openArraysBeside(path: string, where: string): Promise<FileWindow> {
  const beside = path.replace(/\.jsonl$/, ".tokens");
  if (beside === path || !existsSync(beside))
    throw new AttuneError("input", `${where}: expected its tokens in ${beside}, got no such file`);
  return openWindow(beside);
}

/** The lines of a file, where one that is not JSON is the file's fault. */
async function* linesOf(path: string): AsyncGenerator<JsonLine> {
  try {
    yield* readJsonLines(path);
  } catch (error) {
    throw new AttuneError("input", (error as Error).message, { cause: error });
  }
}

function encode(_key: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

async function cutTornLine(file: FileHandle): Promise<void> {
  const newline = 10;
  const { size } = await file.stat();
  const chunk = Buffer.alloc(64 * 1024);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const last = chunk.lastIndexOf(newline, bytesRead - 1);
    const kept = last === -1 ? start : start + last + 1;
    if (kept === size) return;
    if (last !== -1 || start === 0) return file.truncate(kept);
    end = start;
  }
}
