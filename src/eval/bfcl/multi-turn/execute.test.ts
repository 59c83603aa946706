import { describe, expect, it } from "vitest";
import { AttuneError } from "../../../spec/error.ts";
import { readJson } from "../python/json.ts";
import type { PythonDict } from "../python/value.ts";
import { startExecution } from "./execute.ts";

const config = readJson(
  '{"GorillaFileSystem": {"root": {"alex": {"type": "directory", "contents": {"notes.txt": {"type": "file", "content": "b\\nA\\n\\u00e9\\n"}, ".hidden": {"type": "file", "content": ""}, "docs": {"type": "directory", "contents": {}}}}}}}',
) as PythonDict;

/** The texts that the calls give, one after another on the same objects. */
function run(...calls: string[]): string[] {
  const start = { id: "t-1", initialConfig: config, longContext: false, owner: "model_eval" };
  return startExecution({ ...start, involvedClasses: ["GorillaFileSystem", "MathAPI"] }).run(calls);
}

/** The text of one call, without the words that every error begins with. */
function one(call: string): string {
  return (run(call)[0] as string).replace("Error during execution: ", "! ");
}

describe("the text of a result", () => {
  it("is JSON for a dict, None for nothing, and Python's own text where JSON has no words", () => {
    expect(run("touch('n')", "ls()", "square_root(2, 10)", "mean([1, 2, 4])")).toEqual([
      "None",
      '{"current_directory_content": ["notes.txt", "docs", "n"]}',
      "{'result': Decimal('1.414213562')}",
      '{"result": 2.3333333333333335}',
    ]);
  });

  it.each([
    [
      "cd(folder='docs', unknown_argument=1)",
      "GorillaFileSystem.cd() got an unexpected keyword argument 'unknown_argument'",
    ],
    ["cd()", "GorillaFileSystem.cd() missing 1 required positional argument: 'folder'"],
    ["cp()", "GorillaFileSystem.cp() missing 2 required positional arguments: 'source' and 'destination'"],
    ["cd(1, 2)", "GorillaFileSystem.cd() takes 2 positional arguments but 3 were given"],
    ["ls(1, 2)", "GorillaFileSystem.ls() takes from 1 to 2 positional arguments but 3 were given"],
    ["pwd(1)", "GorillaFileSystem.pwd() takes 1 positional argument but 2 were given"],
    ["cd('docs', folder='x')", "GorillaFileSystem.cd() got multiple values for argument 'folder'"],
    ["cp(self=1)", "GorillaFileSystem.cp() got multiple values for argument 'self'"],
    ["missing_tool()", "name 'missing_tool' is not defined"],
    ["_load_scenario({})", "name '_load_scenario' is not defined"],
    ["(pwd)()", "name 'pwd' is not defined"],
    ["cd(folder=home)", "name 'home' is not defined"],
    ["x = 1", "invalid syntax (<string>, line 1)"],
    ["unbalanced(", "'(' was never closed (<string>, line 1)"],
    ["cat(3)", "argument of type 'int' is not iterable"],
    ["pwd()['x']", "'x'"],
  ])("of %s says what Python says", (call, message) => {
    expect(one(call)).toBe(`! ${message}`);
  });
});

describe("a call", () => {
  it("may be nested, positional, unpacked and spaced", () => {
    expect(one("ls ( a = True )")).toBe('{"current_directory_content": ["notes.txt", ".hidden", "docs"]}');
    expect(one("mean(**{'numbers': (1, 2)})")).toBe('{"result": 1.5}');
    expect(one("mean(*[[1, 2 ** 2]])")).toBe('{"result": 2.5}');
    expect(one("find(name=ls()['current_directory_content'][1])")).toBe('{"matches": ["./docs"]}');
  });

  it("is rewritten inside of its texts too, where they look like calls", () => {
    const content = "cd (x) and word (y)";
    expect(run("touch('n')", `echo('${content}', 'n')`, "cat('n')")[2]).toBe(
      '{"file_content": "model_eval_t_1_GorillaFileSystem_instance.cd(x) and word(y)"}',
    );
  });

  it("of a dangerous name is refused, and nothing else than the tools can be reached", () => {
    expect(one("quit()")).toBe("! Function call quit is not allowed.");
    expect(one("os.remove('x')")).toBe("! Function call remove is not allowed.");
    for (const call of [
      "__import__('os')",
      "cd(folder=exit())",
      "pwd().__class__",
      "[x for x in 'ab']",
      "lambda: 1",
    ]) {
      expect(one(call)).toMatch(/^! /);
    }
  });

  it("that nests or grows without measure ends in an error", () => {
    const million = 1_000_000;
    for (const call of [
      `cd(${"[".repeat(million)}`,
      `mean([${"1,".repeat(10)}${"-".repeat(million)}1])`,
      `cd(folder='${"x".repeat(million)}'*100000)`,
      "power(10, 10**9)",
      `${"pwd(".repeat(100)}${")".repeat(100)}`,
    ]) {
      expect(one(call)).toMatch(/^! /);
    }
  });
});

it("names an unknown class and a start that does not fit", () => {
  const start = {
    id: "i",
    involvedClasses: ["Nothing"],
    initialConfig: config,
    longContext: false,
    owner: "m",
  };
  expect(() => startExecution(start)).toThrow(AttuneError);
  expect(() => startExecution(start)).toThrow("i: got a class Nothing, expected one of GorillaFileSystem");
  const broken = readJson('{"GorillaFileSystem": {"root": {"a": {}}}}') as PythonDict;
  expect(() =>
    startExecution({ ...start, involvedClasses: ["GorillaFileSystem"], initialConfig: broken }),
  ).toThrow("i: initial_config of GorillaFileSystem: 'contents'");
});
