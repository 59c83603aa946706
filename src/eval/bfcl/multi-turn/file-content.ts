import { PythonError } from "../python/error.ts";
import { join, linesOf, missingMethod } from "../python/lines.ts";
import { spaces } from "../python/number.ts";
import { compare, compareTexts, contains, lengthOf } from "../python/operators.ts";
import { str } from "../python/text.ts";
import { isEqual, PythonBytes, type PythonValue, toDict } from "../python/value.ts";
import { FileNode, type Place, refused } from "./file-tree.ts";

/** The content of a file of the current directory; undefined where there is none of that name. */
function contentOf({ current }: Place, name: PythonValue): PythonValue | undefined {
  const item = current.has(name) ? current.get(name) : undefined;
  return item instanceof FileNode ? item.content : undefined;
}

function noSuchFile(tool: string, name: PythonValue): PythonValue {
  return refused(`${tool}: ${str(name)}: No such file or directory`);
}

const word = new RegExp(`[^${spaces}]+`, "g");

/** The tool `wc`. */
export function wc(place: Place, name: PythonValue, mode: PythonValue): PythonValue {
  if (mode !== "l" && mode !== "w" && mode !== "c") return refused(`wc: invalid mode '${str(mode)}'`);
  const content = contentOf(place, name);
  if (content === undefined) return noSuchFile("wc", name);
  const counted = (count: number, type: string) => toDict({ count: BigInt(count), type });
  if (mode === "l") return counted(linesOf(content).length, "lines");
  if (mode === "c") return counted(lengthOf(content), "characters");
  if (content instanceof PythonBytes) return counted(content.text.match(/[^\t-\r ]+/g)?.length ?? 0, "words");
  if (typeof content !== "string") throw missingMethod(content, "split");
  return counted(content.match(word)?.length ?? 0, "words");
}

/** The tool `sort`. */
export function sort(place: Place, name: PythonValue): PythonValue {
  const content = contentOf(place, name);
  if (content === undefined) return noSuchFile("sort", name);
  const lines = linesOf(content);
  if (typeof content === "string") (lines as string[]).sort(compareTexts);
  return toDict({ sorted_content: join("\n", lines) });
}

/** The tool `grep`. */
export function grep(place: Place, name: PythonValue, pattern: PythonValue): PythonValue {
  const content = contentOf(place, name);
  if (content === undefined) return noSuchFile("grep", name);
  return toDict({ matching_lines: linesOf(content).filter((line) => contains(line, pattern)) });
}

/** The tool `tail`. */
export function tail(place: Place, name: PythonValue, lines: PythonValue): PythonValue {
  const content = contentOf(place, name);
  if (content === undefined) return noSuchFile("tail", name);
  const all = linesOf(content);
  const isMore = compare(lines, ">", BigInt(all.length));
  if (!isMore && typeof lines !== "bigint" && typeof lines !== "boolean") {
    throw new PythonError("TypeError", "slice indices must be integers or None or have an __index__ method");
  }
  const count = isMore ? all.length : Number(lines);
  return toDict({ last_lines: join("\n", count === 0 ? all : all.slice(-count)) });
}

/** The tool `diff`. */
export function diff(place: Place, first: PythonValue, second: PythonValue): PythonValue {
  const isThere = place.current.has(first) && place.current.has(second);
  const left = isThere ? contentOf(place, first) : undefined;
  const right = isThere ? contentOf(place, second) : undefined;
  if (left === undefined || right === undefined) {
    return refused(`diff: ${str(first)} or ${str(second)}: No such file or directory`);
  }
  const others = linesOf(right);
  const differing = linesOf(left)
    .slice(0, others.length)
    .flatMap((line, index) => {
      const other = others[index] as PythonValue;
      return isEqual(line, other) ? [] : [`- ${str(line)}\n+ ${str(other)}`];
    });
  return toDict({ diff_lines: differing.join("\n") });
}
