import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { writeFileAtomic } from "../kit/files.ts";
import { listSegments, type Segment } from "./segment.ts";

/** Where the new segments of a series are written before they take the place of the old ones. */
export const partsOf = (folder: string) => join(folder, ".compacting");

const journalOf = (folder: string) => join(folder, "replacement.json");

/**
 * Puts the segments that stand complete under `partsOf` in the place of a series' own. A note of what has to be done
 * is written first, so that a crash in the midst of it is finished by whoever comes next.
 */
export function replaceSeries(folder: string, series: string): void {
  const count = listSegments(partsOf(folder)).length;
  writeFileAtomic(journalOf(folder), JSON.stringify({ series, count }));
  finishReplacement(folder);
}

/** Does, or does the rest of, what a note says. Harmless where there is none. */
export function finishReplacement(folder: string): void {
  const journal = journalOf(folder);
  if (!existsSync(journal)) return;
  const { series, count } = JSON.parse(readFileSync(journal, "utf8")) as { series: string; count: number };
  for (const segment of listSegments(folder).reverse())
    if (segment.series === series && segment.number > count) removeSegment(segment);
  // lines last: as long as a part's lines stand there, it is listed and will be moved
  for (const { lines, arrays, index } of listSegments(partsOf(folder)))
    for (const path of [arrays, index, lines])
      if (existsSync(path)) renameSync(path, join(folder, basename(path)));
  rmSync(journal, { force: true });
  rmSync(partsOf(folder), { recursive: true, force: true });
}

/** Whether a replacement has been begun and not been finished. */
export const isBeingReplaced = (folder: string) => existsSync(journalOf(folder));

/** The lines go first: without them the rest is nothing. */
export function removeSegment({ lines, arrays, index }: Segment): void {
  for (const path of [lines, arrays, index]) rmSync(path, { force: true });
}
