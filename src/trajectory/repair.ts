import { closeSync, existsSync, openSync, readSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { endOfWholeLines, lastLineBefore, lineBlocks } from "./file-window.ts";
import type { Segment } from "./segment.ts";
import { encodeEntry, indexOpening, readIndex, readLines, rewriteIndex } from "./segment-index.ts";
import { areIntact, parseLine, type StoredLine } from "./stored-line.ts";

/** Where the files of a segment end, and so where the next trajectory goes. */
export type SegmentEnd = { lines: number; arrays: number; index: number };

/**
 * Brings the files of a segment into step after a crash: a torn last line is cut off, arrays that no line speaks of
 * are, and so is what of the index does not belong to a line. Last lines whose arrays never reached the disk are
 * moved to NAME.torn, for their words may still be of use. `say` is told, in one line each, what was lost; nothing is
 * said where nothing was.
 */
export async function repairSegment(segment: Segment, say: (line: string) => void): Promise<SegmentEnd> {
  if (!existsSync(segment.lines)) {
    writeFileSync(segment.arrays, "");
    writeFileSync(segment.index, indexOpening);
    writeFileSync(segment.lines, "");
    return { lines: 0, arrays: 0, index: indexOpening.length };
  }
  const whole = endOfWholeLines(segment.lines);
  if (whole.end < whole.size)
    say(`${segment.lines}: cut ${whole.size - whole.end} bytes of a line that was not written to its end`);
  const { lines, arrays, cut } = findEnd(segment, whole.end);
  if (cut > 0) {
    await moveLines(segment, { from: lines, to: whole.end });
    say(`${segment.lines}: moved ${cut} last lines to ${segment.torn}, for their tokens were not written`);
  }
  if (lines < whole.size) truncateSync(segment.lines, lines);
  if (sizeOf(segment.arrays) > arrays) truncateSync(segment.arrays, arrays);
  return { lines, arrays, index: await mendIndex(segment, lines) };
}

/** Goes back from the last line to the last one that is whole, arrays included. */
function findEnd(segment: Segment, end: number): { lines: number; arrays: number; cut: number } {
  let cut = 0;
  for (let lines = end; ; cut++) {
    const last = lastLineBefore(segment.lines, lines);
    if (!last) return { lines: 0, arrays: 0, cut };
    const line = lineOf(last.bytes, segment);
    if (line && !line.place) return { lines, arrays: sizeOf(segment.arrays), cut };
    if (line?.place) {
      const [at, bytes] = line.place;
      const there = sizeOf(segment.arrays) >= at + bytes;
      if (there && areIntact(line.place, readPiece(segment.arrays, at, bytes)))
        return { lines, arrays: at + bytes, cut };
    }
    lines = last.at;
  }
}

async function moveLines(segment: Segment, part: { from: number; to: number }): Promise<void> {
  for await (const { bytes } of lineBlocks(segment.lines, part)) await appendFile(segment.torn, bytes);
}

function lineOf(bytes: Buffer, { lines }: Segment): StoredLine | undefined {
  try {
    return parseLine(bytes.toString(), lines);
  } catch {
    return undefined;
  }
}

async function mendIndex(segment: Segment, linesEnd: number): Promise<number> {
  if (!existsSync(segment.index)) return rewriteIndex(segment);
  let from = 0;
  let end = indexOpening.length;
  for await (const { entries, indexEnd, stale } of readIndex(segment, { linesEnd })) {
    if (stale) return rewriteIndex(segment);
    const last = entries.at(-1);
    if (last) from = last.at + last.length;
    end = indexEnd;
  }
  if (sizeOf(segment.index) < indexOpening.length) return rewriteIndex(segment);
  if (sizeOf(segment.index) > end) truncateSync(segment.index, end);
  for await (const entry of readLines(segment, { from, to: linesEnd })) {
    const text = encodeEntry(entry);
    await appendFile(segment.index, text);
    end += Buffer.byteLength(text);
  }
  return end;
}

function readPiece(path: string, at: number, length: number): Buffer {
  if (length === 0) return Buffer.alloc(0);
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    for (let count = -1; filled < length && count !== 0; filled += count)
      count = readSync(file, bytes, filled, length - filled, at + filled);
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0);
