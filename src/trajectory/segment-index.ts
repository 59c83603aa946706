import { existsSync } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import type { Status } from "../spec/trajectory.ts";
import { lineBlocks } from "./file-window.ts";
import type { Heading } from "./heading.ts";
import type { Segment } from "./segment.ts";
import { headingOfLine, parseLine } from "./stored-line.ts";

/**
 * The heading of a stored trajectory, and where it is: series and number of its segment, offset and length of its
 * line in bytes.
 */
export type StoredHeading = Heading & { series: string; segment: number; at: number; length: number };

/** The first line of an index. One of another version is not read, and written anew by the next writer. */
export const indexOpening = '["attune-index",1]\n';

/** A line of the index: an array, for a name costs more than what it names. */
export function encodeEntry(entry: Omit<StoredHeading, "series" | "segment">): string {
  return `${JSON.stringify([
    entry.at,
    entry.length,
    entry.id,
    entry.player,
    entry.group,
    entry.sample,
    entry.attempt,
    entry.step,
    entry.environment,
    entry.kind,
    entry.task,
    entry.status,
    entry.reward,
    entry.turns,
    entry.sampledTokens,
    entry.tools,
  ])}\n`;
}

type Row = readonly [
  at: number,
  length: number,
  id: string,
  player: string,
  group: string,
  sample: number,
  attempt: number,
  step: number,
  environment: string,
  kind: string,
  task: string,
  status: Status,
  reward: number | null,
  turns: number,
  sampledTokens: number,
  tools: string[],
];

function decodeEntry(row: Row, { series, number }: Segment): StoredHeading {
  return {
    series,
    segment: number,
    at: row[0],
    length: row[1],
    id: row[2],
    player: row[3],
    group: row[4],
    sample: row[5],
    attempt: row[6],
    step: row[7],
    environment: row[8],
    kind: row[9],
    task: row[10],
    status: row[11],
    reward: row[12],
    turns: row[13],
    sampledTokens: row[14],
    tools: row[15],
  };
}

/** Entries, and the offset in the index at which the block of them ends; `stale` where the rest is not right. */
export type IndexBlock = { entries: StoredHeading[]; indexEnd: number; stale: boolean };

/**
 * Blocks of entries as far as the index can be believed: each entry begins behind the last one and lies within the
 * lines. What is foreign or stale ends it without an error, for everything in it can be read from the lines. Blocks
 * in which none of `holding` occurs give only their last entry.
 */
export async function* readIndex(
  segment: Segment,
  { linesEnd, holding }: { linesEnd: number; holding?: readonly Buffer[] },
): AsyncGenerator<IndexBlock> {
  if (!existsSync(segment.index)) return;
  let expected = 0;
  for await (const { at, bytes } of lineBlocks(segment.index)) {
    const stale = { entries: [], indexEnd: at, stale: true };
    let start = 0;
    if (at === 0) {
      if (!bytes.toString("utf8", 0, indexOpening.length).startsWith(indexOpening)) return yield stale;
      start = indexOpening.length;
      if (start === bytes.length) continue;
    }
    if (holding && !holding.some((needle) => bytes.includes(needle, start)))
      start = Math.max(start, bytes.lastIndexOf(10, bytes.length - 2) + 1);
    const rows = parseRows(bytes.toString("utf8", start, bytes.length - 1));
    if (!rows) return yield stale;
    const entries: StoredHeading[] = [];
    for (const row of rows) {
      if (row[0] < expected || row[0] + row[1] > linesEnd) return yield { ...stale, entries };
      entries.push(decodeEntry(row, segment));
      expected = row[0] + row[1];
    }
    yield { entries, indexEnd: at + bytes.length, stale: false };
  }
}

/** One call of the parser for a block of lines takes half the time of one for each. */
function parseRows(text: string): Row[] | undefined {
  try {
    return JSON.parse(`[${text.replaceAll("\n", ",")}]`) as Row[];
  } catch {
    return undefined;
  }
}

/** Entries of the lines from an offset on, read from the lines themselves. */
export async function* readLines(
  segment: Segment,
  { from, to }: { from: number; to: number },
): AsyncGenerator<StoredHeading> {
  for await (const { at, bytes } of lineBlocks(segment.lines, { from, to })) {
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; start = end + 1, end = bytes.indexOf(10, start)) {
      if (end === start) continue;
      const where = `${segment.lines}, byte ${at + start}`;
      const line = parseLine(bytes.toString("utf8", start, end), where);
      yield {
        ...headingOfLine(line, where),
        series: segment.series,
        segment: segment.number,
        at: at + start,
        length: end + 1 - start,
      };
    }
  }
}

/** All entries of a segment, from its index as far as that goes and from its lines after that. */
export async function* readEntries(
  segment: Segment,
  { holding }: { holding?: readonly Buffer[] } = {},
): AsyncGenerator<StoredHeading[]> {
  const { size } = await stat(segment.lines);
  let from = 0;
  for await (const { entries } of readIndex(segment, { linesEnd: size, ...(holding && { holding }) })) {
    const last = entries.at(-1);
    if (last) from = last.at + last.length;
    yield entries;
  }
  for await (const entry of readLines(segment, { from, to: size })) yield [entry];
}

/** Writes the index anew, from what of the old one is right and from the lines. */
export async function rewriteIndex(segment: Segment): Promise<number> {
  const part = `${segment.index}.part`;
  const file = await open(part, "w");
  try {
    let size = (await file.write(indexOpening)).bytesWritten;
    for await (const entries of readEntries(segment))
      if (entries.length > 0) size += (await file.write(entries.map(encodeEntry).join(""))).bytesWritten;
    await rename(part, segment.index);
    return size;
  } finally {
    await file.close();
  }
}
