import { describe, expect, it } from "vitest";
import { floatText, jsonText, repr, str } from "./text.ts";
import {
  dictSet,
  isEqual,
  PythonBytes,
  PythonComplex,
  type PythonDict,
  PythonTuple,
  toDict,
} from "./value.ts";

describe("the text of Python values", () => {
  it("prints floats with the shortest digits in Python's layout", () => {
    const texts = [
      5,
      0.1,
      1e16,
      123456789012345680,
      9999999999999998,
      1e-4,
      1e-5,
      1.5e-7,
      -0,
      1e22,
      1 / 3,
      1e300,
    ];
    expect(texts.map(floatText)).toEqual([
      "5.0",
      "0.1",
      "1e+16",
      "1.2345678901234568e+17",
      "9999999999999998.0",
      "0.0001",
      "1e-05",
      "1.5e-07",
      "-0.0",
      "1e+22",
      "0.3333333333333333",
      "1e+300",
    ]);
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(floatText)).toEqual([
      "nan",
      "inf",
      "-inf",
    ]);
  });

  it("quotes and escapes text as repr does", () => {
    expect(
      ["it's", `a"b`, `both ' and "`, "a\nb\t\\", "é\u00a0\u200b\u{10ffff}😀", "\ud800", "\x00\x7f"].map(
        (text) => repr(text),
      ),
    ).toEqual([
      `"it's"`,
      `'a"b'`,
      `'both \\' and "'`,
      "'a\\nb\\t\\\\'",
      "'é\\xa0\\u200b\\U0010ffff😀'",
      "'\\ud800'",
      "'\\x00\\x7f'",
    ]);
  });

  it("prints nested values", () => {
    const value = toDict({
      a: [1n, 1, true, null, new PythonTuple([1n]), new PythonTuple([])],
      b: new Map(),
    });
    expect(repr(value)).toBe("{'a': [1, 1.0, True, None, (1,), ()], 'b': {}}");
    expect([
      str("x"),
      str(2n ** 70n),
      repr(new PythonBytes("a'\xff")),
      repr(new PythonComplex(0, 2)),
      repr(new PythonComplex(1.5, -2)),
    ]).toEqual(["x", "1180591620717411303424", `b"a'\\xff"`, "2j", "(1.5-2j)"]);
  });

  it("writes JSON as json.dumps does", () => {
    const dict: PythonDict = new Map();
    for (const [key, value] of [
      ["k", 5],
      [1n, "é😀\u007f"],
      [null, new PythonTuple([true])],
    ] as const)
      dictSet(dict, key, value);
    expect(jsonText(dict)).toBe('{"k": 5.0, "1": "\\u00e9\\ud83d\\ude00\u007f", "null": [true]}');
    expect(jsonText(["é", new Map(), []], { ensureAscii: false, indent: 2 })).toBe(
      '[\n  "é",\n  {},\n  []\n]',
    );
    expect(() => jsonText(new PythonBytes(""))).toThrow("Object of type bytes is not JSON serializable");
  });

  it("compares by value across classes of numbers, and keeps one key for equal keys", () => {
    expect([
      isEqual(1n, true),
      isEqual(1, 1n),
      isEqual([1n], new PythonTuple([1n])),
      isEqual(2n ** 53n + 1n, 2 ** 53),
    ]).toEqual([true, true, false, false]);
    const dict: PythonDict = new Map();
    for (const key of [1n, 1, true, 0, false, new PythonTuple([1n]), new PythonTuple([true])])
      dictSet(dict, key, repr(key));
    expect(repr(dict)).toBe("{1: 'True', 0.0: 'False', (1,): '(True,)'}");
  });

  it("refuses what is nested deeper than Python would go", () => {
    let value: ReturnType<typeof toDict> | never[] = [];
    for (let level = 0; level < 5_000; level++) value = [value] as never[];
    expect(() => repr(value)).toThrow("maximum recursion depth exceeded");
    expect(() => jsonText(value)).toThrow("maximum recursion depth exceeded");
  });
});
