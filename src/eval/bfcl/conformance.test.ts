import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { checkAst } from "./check/ast.ts";
import { measureConformance } from "./conformance.ts";
import { openData } from "./data.ts";
import { decode } from "./decode/decode.ts";
import { decodeExecute } from "./decode/execute.ts";
import { readJson } from "./python/json.ts";
import { repr } from "./python/text.ts";

const folder = resolve(process.env.ATTUNE_BFCL_DATA ?? "../shared/data/bfcl");
const isPresent = existsSync(folder);

describe("the conformance rows of the original checker", () => {
  it.skipIf(!isPresent)(
    "agree in verdict, error type, decoded value and results",
    { timeout: 60_000 },
    () => {
      const report = measureConformance(folder);
      const broken = Object.entries(report.categories).flatMap(([name, { disagreements }]) =>
        disagreements.map((each) => ({ name, ...each })),
      );
      expect(broken).toEqual([]);
      expect(report.agree).toBe(report.rows);
      expect(report.rows).toBeGreaterThan(10_000);
      expect(Object.keys(report.categories).filter((name) => name.startsWith("multi_turn"))).toHaveLength(4);
    },
  );

  it.skipIf(!isPresent)("come with a folder whose every category can be read", () => {
    const data = openData(folder);
    expect(data.missing).toEqual([]);
    for (const category of data.present) expect(data.items(category).length).toBeGreaterThan(0);
    expect(data.prerequisites("finance").length).toBe(7);
    expect(data.documents("MathAPI").length).toBe(17);
  });

  it.skipIf(isPresent)(`15,836 rows skipped: no data in ${folder}`, () => undefined);
});

const document = readJson(
  '{"name": "fn", "parameters": {"type": "dict", "required": [], "properties": {"s": {"type": "string"}, "i": {"type": "integer"}, "f": {"type": "float"}, "l": {"type": "array", "items": {"type": "string"}}, "li": {"type": "array", "items": {"type": "integer"}}, "t": {"type": "tuple", "items": {"type": "integer"}}, "d": {"type": "dict"}, "ld": {"type": "array", "items": {"type": "dict"}}}}}',
);

/** One call of `fn` with the arguments against the answer, both as JSON; a tuple is written as decoded text. */
function judge(call: string, answer: string, category = "simple_python"): string {
  const output = decode(call, "python").value ?? [];
  const groundTruth = readJson(answer);
  const verdict = checkAst({
    category,
    functions: [document],
    groundTruth: Array.isArray(groundTruth) ? groundTruth : [groundTruth],
    output,
  });
  return verdict.valid ? "pass" : verdict.errorType;
}

describe("the rules of the single-turn checker", () => {
  it.each([
    ["s='San-Francisco, CA'", '"s": ["san francisco ca"]', "pass"],
    ["s='a(b)'", '"s": ["ab"]', "value_error:string"],
    ["f=3", '"f": [3.0]', "pass"],
    ["i=3.0", '"i": [3]', "type_error:simple"],
    ["i=True", '"i": [1]', "type_error:simple"],
    ["i='my_var'", '"i": ["my_var"]', "pass"],
    ["s=None", '"s": ["x", ""]', "type_error:simple"],
    ["zz=1", '"s": ["x"]', "simple_function_checker:unexpected_param"],
    ["", '"s": ["x"]', "simple_function_checker:missing_optional"],
    ["l=['B', 'a']", '"l": [["a", "b"]]', "value_error:list/tuple"],
    ["l=['A', 'b.']", '"l": [["a", "b"]]', "pass"],
    ["li=['1']", '"li": [[1]]', "type_error:nested"],
    ["t=(1, 2)", '"t": [[1, 2]]', "pass"],
    ["d={'a': 'X'}", '"d": [{"a": ["x"], "n": [1, ""]}]', "pass"],
    ["d={'a': 'X'}", '"d": [{"a": ["x"], "n": [1]}]', "value_error:dict_key"],
    ["d={'a': 'y'}", '"d": [{"a": ["x"]}]', "value_error:dict_value"],
    ["ld=[{'a': 1}]", '"ld": [[{"a": [1]}, {"a": [2]}]]', "value_error:list_dict_count"],
    ["f=0.1", '"f": [0.10000001]', "value_error:others"],
  ])("judges fn(%s) against {%s} as %s", (call, answer, expected) => {
    expect(judge(`[fn(${call})]`, `{"fn": {${answer}}}`)).toBe(expected);
  });

  it("matches parallel calls greedily and never takes one back", () => {
    expect(judge("[fn(s='y'), fn(s='x')]", '[{"fn": {"s": ["x"]}}, {"fn": {"s": ["y"]}}]', "parallel")).toBe(
      "pass",
    );
    expect(
      judge("[fn(s='x'), fn(s='z')]", '[{"fn": {"s": ["x", "z"]}}, {"fn": {"s": ["x"]}}]', "parallel"),
    ).toBe("parallel_function_checker_no_order:cannot_find_match");
  });
});

describe("decoding", () => {
  const decoded = (text: string) => {
    const { value, failure } = decode(text, "python");
    return value === undefined ? failure.split(":")[0] : repr(value);
  };

  it("keeps the original's quirks", () => {
    expect(decoded("f(1, a=+5, b=~5, c=2*3, d=x, e=g(1, 'y'), a=(1,))")).toBe(
      `[{'f': {'a': (1,), 'b': -5, 'c': 6, 'd': 'x', 'e': "g(1, 'y')"}}]`,
    );
    expect(decodeExecute("[a.b(x=h(y=1), z={'k': 1.0})]")).toEqual(["a.b(x=h(y=1), z={'k': 1.0})"]);
  });

  it("fails by name on hostile text, in bounded time", () => {
    const million = 1_000_000;
    const texts = [
      "[".repeat(million),
      "f(a=".repeat(million),
      `f(a=${"-".repeat(million)}1)`,
      `f(a=${"1+".repeat(million)}1)`,
      `f(a=${"9".repeat(5_000)})`,
    ];
    for (const text of [
      ...texts,
      "f(a=9**9**9**9)",
      "f(a='x'*10**9)",
      "f(a='\ud800')",
      "f(a=__import__('os')+1)",
    ]) {
      expect(decoded(text)).toMatch(/^[A-Z]\w+$/);
    }
    for (const format of ["json", "verbose_xml", "concise_xml", "java", "javascript"] as const) {
      for (const open of ["[", "{", "f(a=", "<functions>", "[{", "`${", "new A<"])
        decode(open.repeat(100_000), format);
    }
  });
});
