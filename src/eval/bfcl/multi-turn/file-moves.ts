import { contains } from "../python/operators.ts";
import { str } from "../python/text.ts";
import { dictGet, type PythonValue, toDict } from "../python/value.ts";
import { DirectoryNode, FileNode, type Place, refused } from "./file-tree.ts";

/** The tool `mv`. */
export function mv({ current }: Place, source: PythonValue, destination: PythonValue): PythonValue {
  const [from, to] = [str(source), str(destination)];
  const problem = (target: string, why: string) => refused(`mv: cannot move ${target}: ${why}`);
  if (!current.has(source)) return problem(`'${from}'`, "No such file or directory");
  const item = current.get(source) as FileNode | DirectoryNode;
  if (contains(destination, "/")) {
    return refused("mv: path not allowed in destination. Provide only a file or directory name.");
  }
  if (!current.has(destination)) {
    current.remove(source);
    place(current, destination, item, "moved");
    return toDict({ result: `'${from}' moved to '${to}'` });
  }
  const target = current.get(destination);
  if (!(target instanceof DirectoryNode)) return problem(`'${from}' to '${to}'`, "Not a directory");
  if (target.has(from)) return problem(`'${from}' to '${to}/${from}'`, "File exists");
  current.remove(source);
  place(target, source, item, "moved");
  return toDict({ result: `'${from}' moved to '${to}/${from}'` });
}

/** The tool `cp`. */
export function cp({ current }: Place, source: PythonValue, destination: PythonValue): PythonValue {
  const [from, to] = [str(source), str(destination)];
  const problem = (target: string, why: string) => refused(`cp: cannot copy ${target}: ${why}`);
  if (!current.has(source)) return problem(`'${from}'`, "No such file or directory");
  const item = current.get(source) as FileNode | DirectoryNode;
  if (contains(destination, "/")) {
    return refused("cp: path not allowed in destination. Provide only a file or directory name.");
  }
  if (!current.has(destination)) {
    place(current, destination, item, "copied");
    return toDict({ result: `'${from}' copied to '${to}'` });
  }
  const target = current.get(destination);
  if (!(target instanceof DirectoryNode)) return problem(`'${from}' to '${to}'`, "Not a directory");
  // The original looks for the whole path among the names, and so hardly ever finds it.
  if (target.has(`${to}/${from}`)) return problem(`'${from}' to '${to}/${from}'`, "File exists");
  place(target, source, item, "copied");
  return toDict({ result: `'${from}' copied to '${to}/${from}'` });
}

/**
 * Puts an item into a directory under a name. A moved directory keeps its contents; a copied one gets entries of its
 * own, which are the very files and directories of the first.
 */
function place(
  directory: DirectoryNode,
  name: PythonValue,
  item: FileNode | DirectoryNode,
  how: "moved" | "copied",
): void {
  if (item instanceof FileNode) {
    directory.addFile(name, item.content);
    return;
  }
  directory.addDirectory(name);
  const made = dictGet(directory.contents, name) as DirectoryNode;
  made.contents = how === "moved" ? item.contents : new Map(item.contents);
}

/** The tool `rm`. */
export function rm({ current }: Place, name: PythonValue): PythonValue {
  if (!current.has(name)) return refused(`rm: cannot remove '${str(name)}': No such file or directory`);
  current.remove(name);
  return toDict({ result: `'${str(name)}' removed` });
}

/** The tool `rmdir`. */
export function rmdir({ current }: Place, name: PythonValue): PythonValue {
  const problem = (why: string) => refused(`rmdir: cannot remove '${str(name)}': ${why}`);
  if (!current.has(name)) return problem("No such file or directory");
  const item = current.get(name);
  if (!(item instanceof DirectoryNode)) return problem("Not a directory");
  if (item.contents.size > 0) return problem("Directory not empty");
  current.remove(name);
  return toDict({ result: `'${str(name)}' removed` });
}
