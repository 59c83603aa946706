import { describe, expect, it } from "vitest";
import { readJson } from "../python/json.ts";
import { jsonText } from "../python/text.ts";
import { isEqual, type PythonDict, type PythonValue } from "../python/value.ts";
import { gorillaFileSystem } from "./gorilla-file-system.ts";
import type { Method } from "./simulator.ts";

const config = readJson(
  '{"root": {"alex": {"type": "directory", "contents": {"notes.txt": {"type": "file", "content": "b\\nA\\n\\u00e9\\n"}, "log.txt": {"type": "file", "content": "1"}, "docs": {"type": "directory", "contents": {}}}}}}',
) as PythonDict;

function open(longContext = false) {
  const system = gorillaFileSystem.create(config, { longContext });
  const call = (name: string, ...values: PythonValue[]): string => {
    const { parameters, call: run } = (system.methods as ReadonlyMap<string, Method>).get(name) as Method;
    const result = run(...parameters.map((each, at) => values[at] ?? (each.default as PythonValue)));
    return result === null ? "None" : jsonText(result, { ensureAscii: false });
  };
  return { call, state: () => system.state() };
}

describe("the file system", () => {
  it("walks one directory at a time", () => {
    const { call } = open();
    expect(call("pwd")).toBe('{"current_working_directory": "/alex"}');
    expect(call("cd", "docs/")).toBe('{"current_working_directory": "docs"}');
    expect(call("pwd")).toBe('{"current_working_directory": "/alex/docs"}');
    expect(call("cd", "..")).toBe("{}");
    expect(call("cd", "..")).toBe('{"error": "Current directory is already the root. Cannot go back."}');
    expect(call("cd", "a/b")).toContain("Only one folder level at a time");
    expect(call("cd", "notes.txt")).toBe(`{"error": "cd: 'notes.txt': No such file or directory"}`);
  });

  it("counts, sorts, searches and compares by Python's lines and code points", () => {
    const { call } = open();
    expect(call("wc", "notes.txt")).toBe('{"count": 3, "type": "lines"}');
    expect(call("wc", "notes.txt", "c")).toBe('{"count": 6, "type": "characters"}');
    expect(call("sort", "notes.txt")).toBe('{"sorted_content": "A\\nb\\né"}');
    expect(call("du")).toBe('{"disk_usage": "8 bytes"}');
    expect(call("tail", "notes.txt", -1n)).toBe('{"last_lines": "A\\né"}');
    expect(call("diff", "notes.txt", "log.txt")).toBe('{"diff_lines": "- b\\n+ 1"}');
    call("echo", "x\u2028y\r\n\u{1d4b3}\uffee\n", "log.txt");
    expect(call("wc", "log.txt", "c")).toBe('{"count": 8, "type": "characters"}');
    expect(call("sort", "log.txt")).toBe('{"sorted_content": "x\\ny\\n\u{1d4b3}\uffee"}');
    call("echo", "x".repeat(1_145), "log.txt");
    expect(call("du", true)).toBe('{"disk_usage": "1.12 KB"}');
  });

  it("moves, copies and removes by name, and copies of directories share what they hold", () => {
    const { call } = open();
    expect(call("mv", "notes.txt", "docs")).toBe(`{"result": "'notes.txt' moved to 'docs/notes.txt'"}`);
    expect(call("cp", "docs", "copy")).toBe(`{"result": "'docs' copied to 'copy'"}`);
    expect(call("rmdir", "copy")).toBe(`{"error": "rmdir: cannot remove 'copy': Directory not empty"}`);
    call("cd", "copy");
    call("echo", "new", "notes.txt");
    call("cd", "..");
    call("cd", "docs");
    expect(call("cat", "notes.txt")).toBe('{"file_content": "new"}');
    expect(() => call("cp", "notes.txt", 3n)).toThrow("argument of type 'int' is not iterable");
  });

  it("gives up on a directory that contains itself", () => {
    const { call, state } = open();
    call("cp", "docs", "docs");
    expect(() => call("find")).toThrow("maximum recursion depth exceeded");
    expect(() => call("du")).toThrow("maximum recursion depth exceeded");
    expect(isEqual(state(), open().state())).toBe(false);
  });

  it("equals another in the same state, wherever either stands", () => {
    const [one, other] = [open(), open()];
    one.call("cd", "docs");
    expect(isEqual(one.state(), other.state())).toBe(true);
    one.call("touch", "x");
    expect(isEqual(one.state(), other.state())).toBe(false);
  });

  it("is padded for the long-context category, but for files whose end is asked for", () => {
    const { call } = open(true);
    expect(call("cat", "notes.txt").length).toBeGreaterThan(3_000);
    expect(call("cat", "log.txt")).toBe('{"file_content": "1"}');
    call("cd", "docs");
    expect(call("ls")).toContain("image_344822349461074042.jpg");
  });
});
