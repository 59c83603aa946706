import { PythonError } from "../python/error.ts";
import { join, missingMethod } from "../python/lines.ts";
import { strip } from "../python/number.ts";
import { contains, isTrue } from "../python/operators.ts";
import { fixedText } from "../python/rounding.ts";
import { str } from "../python/text.ts";
import { isEqual, PythonBytes, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { diff, grep, sort, tail, wc } from "./file-content.ts";
import { cp, mv, rm, rmdir } from "./file-moves.ts";
import { type Contents, DirectoryNode, FileNode, loadTree, type Place, refused } from "./file-tree.ts";
import type { Method, Simulator, SimulatorClass } from "./simulator.ts";

/** A file system in memory, with one current directory. */
export const gorillaFileSystem: SimulatorClass = {
  name: "GorillaFileSystem",
  create(config, { longContext }) {
    const root = loadTree(config, longContext);
    return createFileSystem(root, longContext);
  },
};

function createFileSystem(root: DirectoryNode, isLong: boolean): Simulator {
  const place: Place = { root, current: root };
  const state: PythonDict = toDict({ long_context: isLong, root });
  return { methods: bindMethods(place), state: () => state };
}

type Tool = {
  parameters: Method["parameters"];
  call(place: Place, ...values: PythonValue[]): PythonValue;
};

function bindMethods(place: Place): Map<string, Method> {
  return new Map(
    tools.map(([name, { parameters, call }]) => [
      name,
      { parameters, call: (...values: PythonValue[]) => call(place, ...values) },
    ]),
  );
}

const fileName = { name: "file_name" };

const tools: readonly (readonly [string, Tool])[] = Object.entries({
  pwd: { parameters: [], call: pwd },
  ls: { parameters: [{ name: "a", default: false }], call: ls },
  cd: { parameters: [{ name: "folder" }], call: cd },
  mkdir: { parameters: [{ name: "dir_name" }], call: mkdir },
  touch: { parameters: [fileName], call: touch },
  echo: { parameters: [{ name: "content" }, { name: "file_name", default: null }], call: echo },
  cat: { parameters: [fileName], call: cat },
  find: {
    parameters: [
      { name: "path", default: "." },
      { name: "name", default: null },
    ],
    call: find,
  },
  wc: { parameters: [fileName, { name: "mode", default: "l" }], call: wc },
  sort: { parameters: [fileName], call: sort },
  grep: { parameters: [fileName, { name: "pattern" }], call: grep },
  du: { parameters: [{ name: "human_readable", default: false }], call: du },
  tail: { parameters: [fileName, { name: "lines", default: 10n }], call: tail },
  diff: { parameters: [{ name: "file_name1" }, { name: "file_name2" }], call: diff },
  mv: { parameters: [{ name: "source" }, { name: "destination" }], call: mv },
  rm: { parameters: [fileName], call: rm },
  rmdir: { parameters: [{ name: "dir_name" }], call: rmdir },
  cp: { parameters: [{ name: "source" }, { name: "destination" }], call: cp },
} satisfies Record<string, unknown> as Record<string, Tool>);

function pwd({ current }: Place): PythonValue {
  const path: PythonValue[] = [];
  for (let each: DirectoryNode | undefined = current; each !== undefined; each = each.parent) {
    path.unshift(each.name);
  }
  return toDict({ current_working_directory: `/${join("/", path)}` });
}

function ls({ current }: Place, a: PythonValue): PythonValue {
  const names = [...current.contents.keys()];
  const shown = isTrue(a) ? names : names.filter((name) => !startsWithPoint(name));
  return toDict({ current_directory_content: shown });
}

function startsWithPoint(name: PythonValue): boolean {
  if (typeof name === "string") return name.startsWith(".");
  if (name instanceof PythonBytes) {
    throw new PythonError("TypeError", "startswith first arg must be bytes or a tuple of bytes, not str");
  }
  throw missingMethod(name, "startswith");
}

function cd(place: Place, folder: PythonValue): PythonValue {
  const name = asText(folder, "rstrip").replace(/\/+$/, "") || "/";
  if (name !== "/" && name.includes("/")) {
    return refused(`cd: ${name}: Unsupported path. Only one folder level at a time is supported.`);
  }
  if (name === "..") {
    if (place.current.parent !== undefined) place.current = place.current.parent;
    else if (isEqual(place.root, place.current))
      return refused("Current directory is already the root. Cannot go back.");
    else return refused("cd: ..: No such directory");
    return toDict({});
  }
  const target = navigate(place, name);
  if (target === undefined) return refused(`cd: '${name}': No such file or directory`);
  place.current = target;
  return toDict({ current_working_directory: target.name });
}

/** The directory at a path; undefined where there is none. */
function navigate({ root, current }: Place, path: PythonValue): DirectoryNode | undefined {
  if (path === null || path === ".") return current;
  if (path === "/") return root;
  const text = asText(path, "strip");
  let directory = text.startsWith("/") ? root : current;
  for (const name of strip(text, "/").split("/")) {
    const next = directory.get(name);
    if (!(next instanceof DirectoryNode)) return undefined;
    directory = next;
  }
  return directory;
}

const invalidSigns = Array.from('|/\\?%*:"><');

function isValidName(name: PythonValue): boolean {
  return !invalidSigns.some((sign) => contains(name, sign));
}

function mkdir({ current }: Place, name: PythonValue): PythonValue {
  const problem = (why: string) => refused(`mkdir: cannot create directory '${str(name)}': ${why}`);
  if (!isValidName(name)) return problem("Invalid character");
  if (current.has(name)) return problem("File exists");
  current.addDirectory(name);
  return null;
}

function touch({ current }: Place, name: PythonValue): PythonValue {
  const problem = (why: string) => refused(`touch: cannot touch '${str(name)}': ${why}`);
  if (!isValidName(name)) return problem("Invalid character");
  if (current.has(name)) return problem("File exists");
  current.addFile(name);
  return null;
}

function echo({ current }: Place, content: PythonValue, name: PythonValue): PythonValue {
  if (name === null) return toDict({ terminal_output: content });
  if (!isValidName(name)) return refused(`echo: cannot write to '${str(name)}': Invalid character`);
  if (!isTrue(name)) return toDict({ terminal_output: content });
  if (!current.has(name)) return refused(`echo: cannot write to '${str(name)}': No such file`);
  const file = current.get(name);
  if (!(file instanceof FileNode)) {
    throw new PythonError("AttributeError", "'Directory' object has no attribute '_write'");
  }
  file.content = content;
  return null;
}

function cat({ current }: Place, name: PythonValue): PythonValue {
  if (!isValidName(name)) return refused(`cat: '${str(name)}': Invalid character`);
  if (!current.has(name)) return refused(`cat: '${str(name)}': No such file or directory`);
  const file = current.get(name);
  if (file instanceof FileNode) return toDict({ file_content: file.content });
  return refused(`cat: '${str(name)}': Is a directory`);
}

/** Paths that a search may find, and how deep it may go, before it is given up as Python gives up. */
const mostMatches = 1_000_000;
const deepestSearch = 960;

function find(place: Place, path: PythonValue, name: PythonValue): PythonValue {
  const directory = navigate(place, path);
  if (directory === undefined) return refused(`find: '${str(path)}': No such file or directory`);
  const matches: PythonValue[] = [];
  const search = (contents: Contents, base: string, depth: number): void => {
    if (depth > deepestSearch || matches.length > mostMatches)
      throw tooDeep(" while calling a Python object");
    for (const [itemName, item] of contents) {
      const itemPath = `${base}/${str(itemName)}`;
      if (name === null || contains(itemName, name)) matches.push(itemPath);
      if (item instanceof DirectoryNode) search(item.contents, itemPath, depth + 1);
    }
  };
  search(directory.contents, asText(path, "rstrip").replace(/\/+$/, ""), 0);
  return toDict({ matches });
}

function du({ current }: Place, humanReadable: PythonValue): PythonValue {
  let size = sizeOf(current, 0);
  if (!isTrue(humanReadable)) return toDict({ disk_usage: `${size} bytes` });
  for (const unit of ["B", "KB", "MB", "GB", "TB"]) {
    if (size < 1024) return toDict({ disk_usage: `${fixedText(size, 2)} ${unit}` });
    size /= 1024;
  }
  return toDict({ disk_usage: `${fixedText(size, 2)} PB` });
}

function sizeOf(item: FileNode | DirectoryNode, depth: number): number {
  if (depth > deepestSearch) throw tooDeep("");
  if (item instanceof FileNode) return byteLength(item.content);
  let size = 0;
  for (const child of item.contents.values()) size += sizeOf(child, depth + 1);
  return size;
}

function byteLength(content: PythonValue): number {
  if (typeof content !== "string") throw missingMethod(content, "encode");
  if (content.isWellFormed()) return Buffer.byteLength(content);
  const characters = Array.from(content);
  const at = characters.findIndex((character) => !character.isWellFormed());
  const code = characters[at]?.charCodeAt(0).toString(16);
  const last = characters.findIndex((character, index) => index > at && character.isWellFormed());
  const end = (last < 0 ? characters.length : last) - 1;
  const place =
    end === at ? `character '\\u${code}' in position ${at}` : `characters in position ${at}-${end}`;
  throw new PythonError("UnicodeEncodeError", `'utf-8' codec can't encode ${place}: surrogates not allowed`);
}

function asText(value: PythonValue, method: string): string {
  if (typeof value === "string") return value;
  if (value instanceof PythonBytes) {
    throw new PythonError("TypeError", "a bytes-like object is required, not 'str'");
  }
  throw missingMethod(value, method);
}

/** Where Python notices that it is too deep, and so what it says, depends on what it was about to do. */
function tooDeep(when: string): PythonError {
  return new PythonError("RecursionError", `maximum recursion depth exceeded${when}`);
}
