import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";

/** Reads pieces of a file that lie mostly one after the other, many of them for one call to the system. */
export type FileWindow = {
  /** Bytes of the piece; fewer where the file ends before. They are overwritten by the next read. */
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
};

const windowBytes = 1 << 20;

export async function openWindow(path: string): Promise<FileWindow> {
  const file = await open(path, "r");
  let buffer = Buffer.alloc(0);
  let start = 0;
  let filled = 0;
  return {
    async read(at, length) {
      if (at < start || at + length > start + filled) {
        if (buffer.length < length || buffer.length === 0)
          buffer = Buffer.allocUnsafeSlow(Math.max(windowBytes, length));
        start = at;
        filled = 0;
        while (filled < length) {
          const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, start + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
      }
      return buffer.subarray(at - start, Math.min(at - start + length, filled));
    },
    close: () => file.close(),
  };
}

const newline = 10;

/** Whole lines of a part of a file, a block of many at a time, each with the offset of its first byte. */
export async function* lineBlocks(
  path: string,
  { from = 0, to = Number.POSITIVE_INFINITY }: { from?: number; to?: number } = {},
): AsyncGenerator<{ at: number; bytes: Buffer }> {
  const file = await open(path, "r");
  try {
    let buffer = Buffer.allocUnsafeSlow(windowBytes);
    let held = 0;
    for (let at = from; ; ) {
      const wanted = Math.min(buffer.length - held, to - at - held);
      const { bytesRead } = wanted > 0 ? await file.read(buffer, held, wanted, at + held) : { bytesRead: 0 };
      held += bytesRead;
      const end = buffer.subarray(0, held).lastIndexOf(newline) + 1;
      if (end > 0) {
        yield { at, bytes: buffer.subarray(0, end) };
        buffer.copyWithin(0, end, held);
        at += end;
        held -= end;
      } else if (bytesRead === 0) return;
      else if (held === buffer.length) {
        // one line is longer than the buffer
        const wider = Buffer.allocUnsafeSlow(2 * buffer.length);
        buffer.copy(wider, 0, 0, held);
        buffer = wider;
      }
    }
  } finally {
    await file.close();
  }
}

/** The last whole line before `end`: where it begins, and its text without the newline. */
export function lastLineBefore(path: string, end: number): { at: number; bytes: Buffer } | undefined {
  if (end <= 0) return undefined;
  const file = openSync(path, "r");
  try {
    for (let size = 64 * 1024; ; size *= 4) {
      const start = Math.max(0, end - size);
      const bytes = Buffer.alloc(end - start);
      readSync(file, bytes, 0, bytes.length, start);
      // the line's own newline is its last byte
      const before = bytes.length < 2 ? -1 : bytes.lastIndexOf(newline, bytes.length - 2);
      if (before === -1 && start > 0) continue;
      return { at: start + before + 1, bytes: bytes.subarray(before + 1, -1) };
    }
  } finally {
    closeSync(file);
  }
}

/** Where the last newline before the end of a file is behind: what follows it is torn. */
export function endOfWholeLines(path: string): { end: number; size: number } {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(64 * 1024);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - bytes.length);
      const length = readSync(file, bytes, 0, end - start, start);
      const last = bytes.subarray(0, length).lastIndexOf(newline);
      if (last !== -1) return { end: start + last + 1, size };
      end = start;
    }
    return { end: 0, size };
  } finally {
    closeSync(file);
  }
}
