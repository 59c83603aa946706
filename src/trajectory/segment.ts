import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { AttuneError } from "../spec/error.ts";

/**
 * One append-only piece of a store: lines of JSON, the arrays they point into, and an index of headings that can be
 * deleted. A series begins with NAME.jsonl and goes on with NAME~2.jsonl, NAME~3.jsonl …
 */
export type Segment = {
  series: string;
  number: number;
  lines: string;
  arrays: string;
  index: string;
  /** Lines that a crash left without their arrays. There is no such file where that never happened. */
  torn: string;
};

export function segmentOf(folder: string, series: string, number: number): Segment {
  const name = number === 1 ? series : `${series}~${number}`;
  const path = (ending: string) => join(folder, `${name}.${ending}`);
  return {
    series,
    number,
    lines: path("jsonl"),
    arrays: path("tokens"),
    index: path("index"),
    torn: path("torn"),
  };
}

/** The segments of a folder: series by name, and within each in the order they were written. */
export function listSegments(folder: string): Segment[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder)
    .flatMap((file) => {
      const [, series, number] = /^([^.].*?)(?:~(\d+))?\.jsonl$/.exec(file) ?? [];
      return series === undefined ? [] : [segmentOf(folder, series, Number(number ?? 1))];
    })
    .sort((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : a.number - b.number));
}

/** Whether a folder is a store, and not only one in which files of trajectories lie about. */
export function isStore(folder: string): boolean {
  return listSegments(folder).some(({ arrays }) => existsSync(arrays));
}

export function checkSeries(series: string): void {
  if (/^[^./\\][^/\\]*$/.test(series) && !/~\d+$/.test(series)) return;
  throw new AttuneError(
    "usage",
    `series "${series}": expected a name that can begin a file name: no slash, no dot at its front, no ~NUMBER at its end`,
  );
}
