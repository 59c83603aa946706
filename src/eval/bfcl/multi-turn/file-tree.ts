import { PythonError } from "../python/error.ts";
import { contains, operate, subscript } from "../python/operators.ts";
import { str } from "../python/text.ts";
import {
  dictGet,
  dictHas,
  dictSet,
  isEqual,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  toDict,
  typeName,
} from "../python/value.ts";
import { longContext } from "./long-context.ts";

/** What a directory holds, by name. A name is a text unless a tool was called with something else. */
export type Contents = Map<PythonValue, FileNode | DirectoryNode>;

/** A file. As a value it is a tuple of what the original compares: name and content. */
export class FileNode extends PythonTuple {
  readonly name: PythonValue;
  readonly #parts: PythonValue[];

  constructor(name: PythonValue, content: PythonValue) {
    const parts = ["file", name, content];
    super(parts);
    this.#parts = parts;
    this.name = name;
  }

  get content(): PythonValue {
    return this.#parts[2] as PythonValue;
  }

  set content(content: PythonValue) {
    this.#parts[2] = content;
  }
}

/** A directory. As a value it is a tuple of name and contents; where it lies does not matter to equality. */
export class DirectoryNode extends PythonTuple {
  readonly name: PythonValue;
  readonly parent: DirectoryNode | undefined;
  readonly #parts: PythonValue[];

  constructor(name: PythonValue, parent?: DirectoryNode) {
    const parts = [name, new Map()];
    super(parts);
    this.#parts = parts;
    this.name = name;
    this.parent = parent;
  }

  get contents(): Contents {
    return this.#parts[1] as Contents;
  }

  set contents(contents: Contents) {
    this.#parts[1] = contents;
  }

  has(name: PythonValue): boolean {
    return contains(this.contents, name);
  }

  /** What has this name; a point is the directory itself, even where something of that name was made. */
  get(name: PythonValue): FileNode | DirectoryNode | undefined {
    return name === "." ? this : (dictGet(this.contents, name) as FileNode | DirectoryNode | undefined);
  }

  addFile(name: PythonValue, content: PythonValue = ""): void {
    this.#add(name, "File", () => new FileNode(name, content));
  }

  addDirectory(name: PythonValue): void {
    this.#add(name, "Directory", () => new DirectoryNode(name, this));
  }

  remove(name: PythonValue): void {
    if (this.contents.delete(name)) return;
    for (const key of this.contents.keys()) if (isEqual(key, name)) this.contents.delete(key);
  }

  #add(name: PythonValue, kind: string, create: () => FileNode | DirectoryNode): void {
    if (dictHas(this.contents, name)) {
      const message = `${kind} '${str(name)}' already exists in directory '${str(this.name)}'.`;
      throw new PythonError("ValueError", message);
    }
    dictSet(this.contents, name, create());
  }
}

/** Where the tools are: the whole tree, and the directory that names are looked up in. */
export type Place = { readonly root: DirectoryNode; current: DirectoryNode };

/** What a tool answers when it does not do what it was asked. */
export function refused(error: string): PythonDict {
  return toDict({ error });
}

/** The tree of a scenario `{root: {NAME: {contents}}}`; an empty directory named `/` without one. */
export function loadTree(scenario: PythonDict, isLong: boolean): DirectoryNode {
  const root = dictGet(scenario, "root");
  if (root === undefined) return new DirectoryNode("/");
  const name = root instanceof Map ? root.keys().next().value : undefined;
  if (name === undefined) throw new PythonError("IndexError", "list index out of range");
  const directory = new DirectoryNode(name);
  fill(directory, subscript(subscript(root, name), "contents"), isLong);
  return directory;
}

function fill(directory: DirectoryNode, contents: PythonValue, isLong: boolean): void {
  if (!(contents instanceof Map)) {
    throw new PythonError("AttributeError", `'${typeName(contents)}' object has no attribute 'items'`);
  }
  let isInnermost = true;
  for (const [name, entry] of contents) {
    const type = subscript(entry, "type");
    if (type === "directory") {
      isInnermost = false;
      const child = new DirectoryNode(name, directory);
      fill(child, subscript(entry, "contents"), isLong);
      directory.contents.set(name, child);
    } else if (type === "file") {
      const content = subscript(entry, "content");
      const isPadded = isLong && !contains(longContext("FILES_TAIL_USED"), name);
      directory.contents.set(
        name,
        new FileNode(name, isPadded ? operate(content, "+", longContext("FILE_CONTENT_EXTENSION")) : content),
      );
    }
  }
  if (!isInnermost || !isLong) return;
  for (const name of longContext("POPULATE_FILE_EXTENSION") as string[]) directory.addFile(name);
}
