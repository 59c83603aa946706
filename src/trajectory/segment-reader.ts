import { existsSync } from "node:fs";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { type FileWindow, openWindow } from "./file-window.ts";
import { type Segment, segmentOf } from "./segment.ts";
import type { StoredHeading } from "./segment-index.ts";
import { decodeTrajectory, parseLine } from "./stored-line.ts";

/** Reads what headings stand for. Fast where they come in the order they were written. */
export type SegmentReader = {
  read(heading: StoredHeading): Promise<Trajectory>;
  /** Whether a text occurs in what somebody said, saw or answered there. Reads no arrays. */
  says(heading: StoredHeading, text: string): Promise<boolean>;
  close(): Promise<void>;
};

export function createSegmentReader(folder: string): SegmentReader {
  let current: { segment: Segment; lines: FileWindow; arrays: FileWindow | undefined } | undefined;

  async function openAt({ series, segment: number }: StoredHeading) {
    if (current?.segment.series === series && current.segment.number === number) return current;
    await close();
    const segment = segmentOf(folder, series, number);
    const lines = await openWindow(segment.lines);
    const arrays = existsSync(segment.arrays) ? await openWindow(segment.arrays) : undefined;
    current = { segment, lines, arrays };
    return current;
  }

  async function close() {
    await current?.lines.close();
    await current?.arrays?.close();
    current = undefined;
  }

  return {
    async read(heading) {
      const { segment, lines, arrays } = await openAt(heading);
      const where = `${segment.lines}, byte ${heading.at}`;
      const line = parseLine((await lines.read(heading.at, heading.length)).toString(), where);
      const bytes = line.place && (await arrays?.read(line.place[0], line.place[1]));
      const trajectory = decodeTrajectory(line, bytes, where);
      if (trajectory.id !== heading.id)
        throw new AttuneError(
          "input",
          `${where}: expected trajectory "${heading.id}", got "${trajectory.id}"; the file has changed since its index was written or read`,
        );
      return trajectory;
    },
    async says(heading, text) {
      const { segment, lines } = await openAt(heading);
      const bytes = await lines.read(heading.at, heading.length);
      // most lines are ruled out by their bytes; the needle is spelled as JSON spells it
      if (!bytes.includes(JSON.stringify(text).slice(1, -1))) return false;
      const { value } = parseLine(bytes.toString(), `${segment.lines}, byte ${heading.at}`);
      const { nodes, calls } = value as unknown as Trajectory;
      return (
        nodes.some(({ message }) => message?.content.includes(text)) ||
        calls.some(({ observation }) => observation.includes(text))
      );
    },
    close,
  };
}
