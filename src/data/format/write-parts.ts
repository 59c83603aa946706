import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AttuneError } from "../../spec/error.ts";
import type { Format, Part } from "./format.ts";

/**
 * Writes an export so that it is there as a whole or not at all: beside its place first, then renamed. A place that
 * is taken is refused.
 */
export async function writeParts(
  parts: AsyncIterable<Part>,
  { path, output }: { path: string; output: Format["output"] },
): Promise<{ bytes: number }> {
  if (existsSync(path)) throw new AttuneError("usage", `${path}: exists already; give another place`);
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.part`);
  const handles = new Map<string, FileHandle>();
  let bytes = 0;
  try {
    if (output === "folder") await mkdir(temporary);
    for await (const part of parts) {
      const target = output === "folder" ? join(temporary, part.file) : temporary;
      let handle = handles.get(target);
      if (!handle) {
        await mkdir(dirname(target), { recursive: true });
        // a file is gone back to by its next part or one soon after: old ones are closed, and opened again if need be
        const [oldest] = handles.keys();
        if (handles.size >= openFiles && oldest !== undefined) await close(handles, oldest);
        handle = await open(target, "a");
        handles.set(target, handle);
      }
      await handle.appendFile(part.bytes);
      bytes += part.bytes.byteLength;
    }
    for (const target of handles.keys()) await close(handles, target);
    await rename(temporary, path);
    return { bytes };
  } catch (error) {
    for (const handle of handles.values()) await handle.close();
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

const openFiles = 16;

async function close(handles: Map<string, FileHandle>, target: string): Promise<void> {
  const handle = handles.get(target)!;
  handles.delete(target);
  await handle.sync();
  await handle.close();
}
