import { describe, expect, it } from "vitest";
import { jsonText, repr } from "../python/text.ts";
import type { PythonDict, PythonValue } from "../python/value.ts";
import { mathApi } from "./math-api.ts";
import type { Method } from "./simulator.ts";

const { methods } = mathApi.create(new Map(), { longContext: false });

function call(name: string, ...values: PythonValue[]): PythonDict {
  const method = (methods as Record<string, Method>)[name] as Method;
  const given = method.parameters.map((each, at) => (at < values.length ? values[at] : each.default));
  return method.call(...(given as PythonValue[])) as PythonDict;
}

describe("numbers of the math class", () => {
  it("keep integers and floats apart", () => {
    expect(jsonText(call("add", 1n, 2n))).toBe('{"result": 3}');
    expect(jsonText(call("divide", 4n, 2n))).toBe('{"result": 2.0}');
    expect(jsonText(call("max_value", [1n, 1, true]))).toBe('{"result": 1}');
    expect(jsonText(call("sum_values", [true, 2n ** 70n]))).toBe('{"result": 1180591620717411303425}');
    expect(jsonText(call("si_unit_conversion", 5n, "km", "m"))).toBe('{"result": 5000.0}');
    expect(jsonText(call("imperial_si_conversion", 20n, "celsius", "fahrenheit"))).toBe('{"result": 68.0}');
  });

  it.each([
    [2.5, 0n, 2],
    [0.125, 2n, 0.12],
    [2.675, 2n, 2.67],
    [-1.5, 0n, -2],
    [1234.5, -2n, 1200],
  ])("round %d to %d places half to even by their exact value", (value, places, expected) => {
    expect(call("round_number", value, places).get("result")).toBe(expected);
  });

  it("have powers rounded once, and complex ones of negative numbers", () => {
    expect(call("power", 2n, 0.5).get("result")).toBe(Math.SQRT2);
    expect(call("power", 2n, -1n).get("result")).toBe(0.5);
    expect(call("power", 2n, 70n).get("result")).toBe(2n ** 70n);
    expect(call("power", 10, -5).get("result")).toBe(0.00001);
    expect(repr(call("power", -8n, 0.5))).toMatch(/^\{'result': \(1\.73\d+e-16\+2\.828427124746190\dj\)\}$/);
    expect(() => call("power", 10, 400n)).toThrow("(34, 'Numerical result out of range')");
    expect(() => call("power", 0n, -1n)).toThrow("0.0 cannot be raised to a negative power");
  });

  it.each([
    [100, 10, 5n, "{'result': mpf('2.0')}"],
    [8n, 2n, 3n, "{'result': mpf('3.00049')}"],
    [-8n, 2n, 5n, "{'result': mpc(real='3.0', imag='4.5323639')}"],
    [0n, 10n, 5n, "{'result': mpf('-inf')}"],
    ["x", 10n, 5n, "{'error': \"cannot create mpf from 'x'\"}"],
    [2n, 1n, 5n, "{'error': ''}"],
  ])(
    "have the logarithm of %s to base %s with %d digits as mpmath prints it",
    (value, base, digits, expected) => {
      expect(repr(call("logarithm", value, base, digits))).toBe(expected);
    },
  );

  it.each([
    [2n, 10n, "{'result': Decimal('1.414213562')}"],
    [16n, 5n, "{'result': Decimal('4')}"],
    [0.25, 5n, "{'result': Decimal('0.5')}"],
    [1e-20, 3n, "{'result': Decimal('1.00E-10')}"],
    [-1n, 3n, "{'error': 'Cannot calculate square root of a negative number'}"],
    ["4", 3n, "{'error': 'Input must be a number or computation resulted in an invalid operation'}"],
  ])("have the square root of %s with %d digits as decimal prints it", (value, digits, expected) => {
    expect(repr(call("square_root", value, digits))).toBe(expected);
  });

  it("answer with their own words to other values, and raise where the original does", () => {
    expect(jsonText(call("add", "a", 1n))).toBe('{"error": "Both inputs must be numbers"}');
    expect(jsonText(call("add", "a", "b"))).toBe('{"result": "ab"}');
    expect(jsonText(call("mean", []))).toBe('{"error": "Cannot calculate mean of an empty list"}');
    expect(jsonText(call("divide", 1n, 0))).toBe('{"error": "Cannot divide by zero"}');
    expect(() => call("square_root", 2n, 0n)).toThrow("valid range for prec is [1, MAX_PREC]");
    expect(() => call("si_unit_conversion", 1n, ["m"], "m")).toThrow("unhashable type: 'list'");
  });
});
