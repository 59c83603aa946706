import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Trajectory } from "../spec/trajectory.ts";
import { repairSegment, type SegmentEnd } from "./repair.ts";
import { checkSeries, listSegments, type Segment, segmentOf } from "./segment.ts";
import { encodeEntry } from "./segment-index.ts";
import { encodeTrajectory } from "./stored-line.ts";

/** Adds to the last segment of a series, and begins a new one when it is full. */
export type SeriesWriter = {
  append(trajectories: readonly Trajectory[]): Promise<void>;
  /** Returns when everything that was appended is on the disk, and not only with the system. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

type Part = "arrays" | "lines" | "index";
/** The order of writing: a line is only there when its arrays are, and the index follows both. */
const parts: readonly Part[] = ["arrays", "lines", "index"];

/** What is to be written to one segment, with what waits for it. */
type Batch = { segment: Segment; pieces: Record<Part, Buffer[]>; settle: ((error?: unknown) => void)[] };

export async function openSeriesWriter(options: {
  folder: string;
  series: string;
  segmentBytes: number;
  say: (line: string) => void;
}): Promise<SeriesWriter> {
  const { folder, series, segmentBytes, say } = options;
  checkSeries(series);
  const last = listSegments(folder).findLast((segment) => segment.series === series);
  let segment = last ?? segmentOf(folder, series, 1);
  /** Where the files end now, and where they will when all that waits is written. */
  let written: SegmentEnd = await repairSegment(segment, say);
  let planned = { ...written };
  let files = await openFiles(segment);
  let openSegment = segment;
  let waiting: Batch[] = [];
  let flushing: Promise<void> | undefined;

  function plan(trajectories: readonly Trajectory[]): Batch[] {
    const batches: Batch[] = [];
    const before = { segment, planned: { ...planned } };
    try {
      for (const trajectory of trajectories) {
        if (planned.lines >= segmentBytes) {
          segment = segmentOf(folder, series, segment.number + 1);
          planned = { lines: 0, arrays: 0, index: 0 };
        }
        if (batches.at(-1)?.segment !== segment)
          batches.push({ segment, pieces: { arrays: [], lines: [], index: [] }, settle: [] });
        const { pieces } = batches.at(-1)!;
        const { line, arrays, heading } = encodeTrajectory(trajectory, planned.arrays);
        pieces.lines.push(line);
        pieces.arrays.push(arrays);
        pieces.index.push(
          Buffer.from(
            encodeEntry({
              ...heading,
              at: planned.lines,
              length: line.length,
            }),
          ),
        );
        planned.lines += line.length;
        planned.arrays += arrays.length;
      }
    } catch (error) {
      segment = before.segment;
      planned = before.planned;
      throw error;
    }
    return batches;
  }

  async function write({ segment: target, pieces }: Batch): Promise<void> {
    if (target.lines !== openSegment.lines) {
      await syncFiles(files);
      await closeFiles(files);
      written = await repairSegment(target, say);
      files = await openFiles(target);
      openSegment = target;
    }
    const end = { ...written };
    try {
      for (const part of parts) {
        await writeAt(files[part], pieces[part], end[part]);
        end[part] += pieces[part].reduce((total, { length }) => total + length, 0);
      }
      written = end;
    } catch (error) {
      // a full disk leaves what was there before
      for (const part of parts) await files[part].truncate(written[part]).catch(() => undefined);
      throw error;
    }
  }

  /** Writes until nothing waits; what came in meanwhile goes in one piece. */
  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const taken = waiting;
      waiting = [];
      const merged = mergeBatches(taken);
      for (const [index, batch] of merged.entries()) {
        try {
          await write(batch);
          for (const done of batch.settle) done();
        } catch (error) {
          // offsets of all that waits behind it are wrong now
          for (const failed of [...merged.slice(index), ...waiting])
            for (const done of failed.settle) done(error);
          waiting = [];
          segment = openSegment;
          planned = { ...written };
          break;
        }
      }
    }
  }

  const settled = async () => {
    while (flushing) await flushing;
  };

  return {
    append(trajectories) {
      if (trajectories.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const batches = plan(trajectories);
        batches.at(-1)!.settle.push((error) => (error === undefined ? resolve() : reject(error as Error)));
        for (const batch of batches.slice(0, -1))
          batch.settle.push((error) => error !== undefined && reject(error as Error));
        waiting.push(...batches);
        flushing ??= flush().finally(() => {
          flushing = undefined;
        });
      });
    },
    async sync() {
      await settled();
      await syncFiles(files);
    },
    async close() {
      await settled();
      await syncFiles(files);
      await closeFiles(files);
    },
  };
}

/** Neighbours for the same segment as one, so that many small appends cost three writes together. */
function mergeBatches(batches: readonly Batch[]): Batch[] {
  const merged: Batch[] = [];
  for (const batch of batches) {
    const last = merged.at(-1);
    if (last?.segment.lines !== batch.segment.lines) {
      merged.push(batch);
      continue;
    }
    for (const part of parts) for (const piece of batch.pieces[part]) last.pieces[part].push(piece);
    last.settle.push(...batch.settle);
  }
  return merged;
}

type Files = Record<Part, FileHandle>;

async function openFiles({ arrays, lines, index }: Segment): Promise<Files> {
  const flags = constants.O_RDWR | constants.O_CREAT;
  return {
    arrays: await open(arrays, flags),
    lines: await open(lines, flags),
    index: await open(index, flags),
  };
}

async function syncFiles(files: Files): Promise<void> {
  // the index can be written anew from the lines
  for (const part of ["arrays", "lines"] as const) await files[part].datasync();
}

async function closeFiles(files: Files): Promise<void> {
  for (const part of parts) await files[part].close();
}

async function writeAt(file: FileHandle, pieces: readonly Buffer[], at: number): Promise<void> {
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
