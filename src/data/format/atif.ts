import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { AttuneError } from "../../spec/error.ts";
import { fromAtif } from "./atif-read.ts";
import { toAtif } from "./atif-write.ts";
import { toBranches } from "./branch.ts";
import type { Format } from "./format.ts";
import { readRows } from "./json-lines.ts";
import { objectAt } from "./spot.ts";

/** The Agent Trajectory Interchange Format: one JSON document for each path, written as 1.7, read from 1.0 on. */
export const atif: Format = {
  name: "atif",
  about: "ATIF 1.7, one JSON file for each path; reads 1.0 to 1.7",
  output: "folder",
  async *write(trajectories, options = {}) {
    let index = 0;
    for await (const branch of toBranches(trajectories, "atif", options)) {
      const name = branch.trajectory.id.replaceAll(/[^\w.-]+/g, "-").slice(0, 100);
      const file = `${String(index++).padStart(6, "0")}-${name}.json`;
      yield { file, bytes: Buffer.from(`${JSON.stringify(toAtif(branch))}\n`) };
    }
  },
  async *read(path, options = {}) {
    if (!existsSync(path)) throw new AttuneError("input", `${path}: there is no such file or folder`);
    if (path.endsWith(".jsonl")) {
      for await (const { row, spot } of readRows(path)) yield* fromAtif(row, spot, options);
      return;
    }
    const files = statSync(path).isDirectory()
      ? readdirSync(path)
          .filter((name) => name.endsWith(".json"))
          .sort()
          .map((name) => join(path, name))
      : [path];
    if (files.length === 0) throw new AttuneError("input", `${path}: expected .json files in it, got none`);
    for (const file of files) yield* fromAtif(readDocument(file), { file, field: "" }, options);
  },
};

function readDocument(file: string) {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new AttuneError("input", `${file}: not JSON`, { cause: error });
  }
  return objectAt(value, { file, field: "" });
}
