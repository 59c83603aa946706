import { mkdirSync, truncateSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { finishReplacement, isBeingReplaced, partsOf, removeSegment, replaceSeries } from "./compaction.ts";
import { type Heading, matcherOf, type TrajectoryFilter } from "./heading.ts";
import { repairSegment } from "./repair.ts";
import { checkSeries, listSegments, type Segment } from "./segment.ts";
import { readEntries, rewriteIndex, type StoredHeading } from "./segment-index.ts";
import { createSegmentReader } from "./segment-reader.ts";
import { openSeriesWriter, type SeriesWriter } from "./series-writer.ts";
import { takeWriterLock } from "./writer-lock.ts";

export type TrajectoryStore = {
  readonly folder: string;
  /** What was cut off because a crash had left it torn, in one line each. */
  readonly repairs: readonly string[];
  /**
   * Adds trajectories behind those of a series. The first change takes the folder's lock, and gives it back when the
   * store is closed. Many small appends that are under way at once are written together.
   */
  append(trajectories: readonly Trajectory[], options?: { series?: string }): Promise<void>;
  /** Headings in the order they were written, series by name. Token arrays are not read. */
  scan(filter?: TrajectoryFilter): AsyncGenerator<StoredHeading>;
  /** Whole trajectories, one at a time. */
  trajectories(filter?: TrajectoryFilter): AsyncGenerator<Trajectory>;
  /** One trajectory by what a scan said of it, or by its id: the last one that was stored under that. */
  read(which: string | StoredHeading): Promise<Trajectory>;
  /** Cuts a series off at the first trajectory that is not to be kept. */
  cut(series: string, keep: (heading: Heading) => boolean): Promise<void>;
  /** Forgets a series. */
  remove(series: string): Promise<void>;
  /** Writes every series anew, full segments of what is to be kept, and removes the old ones. */
  compact(options?: {
    keep?: (heading: StoredHeading) => boolean;
  }): Promise<{ kept: number; dropped: number }>;
  /** Deletes the index and writes it anew from the lines. */
  rebuildIndex(): Promise<void>;
  /** Returns when everything that was appended would outlive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** Lines of one segment, about: the next series' segment begins behind the append that passes it. */
const defaultSegmentBytes = 256 * 1024 * 1024;

/**
 * A folder of trajectories: append-only segments of JSON lines, token arrays in a file beside each, and an index of
 * headings that can be deleted. Reading needs no lock and leaves the folder as it is.
 */
export function openStore(
  folder: string,
  { segmentBytes = defaultSegmentBytes }: { segmentBytes?: number } = {},
): TrajectoryStore {
  const repairs: string[] = [];
  const say = (line: string) => repairs.push(line);
  const writers = new Map<string, Promise<SeriesWriter>>();
  let unlock: (() => void) | undefined;
  let closed = false;

  function lock(): void {
    if (closed) throw new AttuneError("usage", `${folder}: this store is closed`);
    if (unlock) return;
    mkdirSync(folder, { recursive: true });
    unlock = takeWriterLock(join(folder, "store.lock"));
    finishReplacement(folder);
  }

  function writerOf(series: string): Promise<SeriesWriter> {
    lock();
    const known = writers.get(series);
    if (known) return known;
    const writer = openSeriesWriter({ folder, series, segmentBytes, say });
    writers.set(series, writer);
    writer.catch(() => writers.delete(series));
    return writer;
  }

  /** Its files are about to be changed by something else than appending. */
  async function closeWriter(series: string): Promise<void> {
    const writer = writers.get(series);
    writers.delete(series);
    await (await writer)?.close();
  }

  /** A reader that comes behind a crash in the midst of a replacement has to finish it before it can read. */
  function settle(): void {
    if (!isBeingReplaced(folder)) return;
    const release = unlock ? () => undefined : takeWriterLock(join(folder, "store.lock"));
    try {
      finishReplacement(folder);
    } finally {
      release();
    }
  }

  async function* blocks(filter: TrajectoryFilter): AsyncGenerator<StoredHeading[]> {
    settle();
    const { series } = filter;
    const wanted = series === undefined ? undefined : new Set(typeof series === "string" ? [series] : series);
    const matches = matcherOf(filter);
    // names are spelled in the index as JSON spells them, so most of it need not be parsed for one of them
    const holding = [filter.id, filter.group, filter.task].flatMap((name) =>
      name === undefined ? [] : [Buffer.from(JSON.stringify(name))],
    );
    for (const segment of listSegments(folder)) {
      if (wanted && !wanted.has(segment.series)) continue;
      const reading = readEntries(segment, holding.length > 0 ? { holding: holding.slice(0, 1) } : {});
      for await (const entries of reading) {
        const found = entries.filter(matches);
        if (found.length > 0) yield found;
      }
    }
  }

  async function* scan(filter: TrajectoryFilter = {}): AsyncGenerator<StoredHeading> {
    const { text } = filter;
    if (text === undefined) {
      for await (const entries of blocks(filter)) for (const entry of entries) yield entry;
      return;
    }
    const reader = createSegmentReader(folder);
    try {
      for await (const entries of blocks(filter))
        for (const entry of entries) if (await reader.says(entry, text)) yield entry;
    } finally {
      await reader.close();
    }
  }

  async function* trajectories(headings: AsyncIterable<StoredHeading>): AsyncGenerator<Trajectory> {
    const reader = createSegmentReader(folder);
    try {
      for await (const heading of headings) yield await reader.read(heading);
    } finally {
      await reader.close();
    }
  }

  return {
    folder,
    repairs,
    async append(trajectories, { series = "trajectories" } = {}) {
      if (trajectories.length > 0) await (await writerOf(series)).append(trajectories);
    },
    scan,
    trajectories: (filter = {}) => trajectories(scan(filter)),
    async read(which) {
      let heading = typeof which === "string" ? undefined : which;
      if (typeof which === "string") for await (const each of scan({ id: which })) heading = each;
      if (!heading)
        throw new AttuneError("input", `${folder}: expected a trajectory "${which as string}", got none`);
      const reader = createSegmentReader(folder);
      try {
        return await reader.read(heading);
      } finally {
        await reader.close();
      }
    },
    async cut(series, keep) {
      checkSeries(series);
      lock();
      await closeWriter(series);
      const segments = listSegments(folder).filter((segment) => segment.series === series);
      const last = segments.at(-1);
      if (last) await repairSegment(last, say);
      for (const [index, segment] of segments.entries()) {
        const first = await firstNotKept(segment, keep);
        if (!first) continue;
        for (const behind of segments.slice(index + 1).reverse()) removeSegment(behind);
        truncateSync(segment.lines, first.at);
        await repairSegment(segment, say);
        return;
      }
    },
    async remove(series) {
      checkSeries(series);
      lock();
      await closeWriter(series);
      const segments = listSegments(folder).filter((segment) => segment.series === series);
      for (const segment of segments.reverse()) removeSegment(segment);
    },
    async compact({ keep = () => true } = {}) {
      lock();
      let kept = 0;
      let dropped = 0;
      for (const series of new Set(listSegments(folder).map((segment) => segment.series))) {
        await closeWriter(series);
        const parts = partsOf(folder);
        await rm(parts, { recursive: true, force: true });
        mkdirSync(parts);
        const writer = await openSeriesWriter({ folder: parts, series, segmentBytes, say });
        const reader = createSegmentReader(folder);
        try {
          for await (const entries of blocks({ series })) {
            const chosen = entries.filter(keep);
            for (const piece of chunksOf(chosen, 64)) {
              const whole: Trajectory[] = [];
              for (const entry of piece) whole.push(await reader.read(entry));
              await writer.append(whole);
            }
            kept += chosen.length;
            dropped += entries.length - chosen.length;
          }
        } finally {
          await reader.close();
          await writer.close();
        }
        replaceSeries(folder, series);
      }
      return { kept, dropped };
    },
    async rebuildIndex() {
      lock();
      for (const segment of listSegments(folder)) {
        await closeWriter(segment.series);
        await rm(segment.index, { force: true });
        await rewriteIndex(segment);
      }
    },
    async sync() {
      for (const writer of writers.values()) await (await writer).sync();
    },
    async close() {
      if (closed) return;
      try {
        for (const series of writers.keys()) await closeWriter(series);
      } finally {
        closed = true;
        unlock?.();
      }
    },
  };
}

function* chunksOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

async function firstNotKept(
  segment: Segment,
  keep: (heading: Heading) => boolean,
): Promise<StoredHeading | undefined> {
  for await (const entries of readEntries(segment)) {
    const found = entries.find((entry) => !keep(entry));
    if (found) return found;
  }
  return undefined;
}
