import { SandboxError } from "../spec/sandbox.ts";

/** Bytes of one file that may go in or out. */
export const mostFileCharacters = 1024 * 1024;

/** A path as it is kept: from the home directory, without dots. Throws `SandboxError` (denied) for one that leaves it. */
export function homePath(path: string): string {
  const parts: string[] = [];
  const refuse = (): never => {
    throw new SandboxError(
      "denied",
      `got the path ${JSON.stringify(path.slice(0, 100))}, expected one from the home directory`,
    );
  };
  if (path.startsWith("/") || path.includes("\0") || path.length > 1000) refuse();
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") refuse();
    parts.push(part);
  }
  if (parts.length === 0) refuse();
  return parts.join("/");
}

export function checkContent(path: string, content: string): void {
  if (content.length > mostFileCharacters)
    throw new SandboxError(
      "denied",
      `file "${path}": got ${content.length} characters, expected at most ${mostFileCharacters}`,
    );
}

/** Reads of files that are not there are refused the same way everywhere. */
export const noFile = (path: string) => new SandboxError("denied", `no file "${path}"`);
