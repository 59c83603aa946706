import { describe, expect, it } from "vitest";
import { narrow, overflowOf, widen } from "./number-formats.ts";

const every = Uint16Array.from({ length: 2 ** 16 }, (_, half) => half);
const narrowed = (type: "F16" | "BF16", values: readonly number[]) => {
  const halves = new Uint16Array(values.length);
  narrow(type, Float32Array.from(values), halves);
  return [...halves];
};

describe.each(["F16", "BF16"] as const)("%s", (type) => {
  it("comes back bit for bit through a float, for each of its 65,536 patterns", () => {
    const floats = new Float32Array(every.length);
    const back = new Uint16Array(every.length);
    widen(type, every, floats);
    narrow(type, floats, back);
    // a signalling NaN comes back as a quiet one; every other pattern is itself
    const quiet = type === "F16" ? 0x200 : 0x40;
    expect(back).toEqual(every.map((half, at) => (Number.isNaN(floats[at]!) ? half | quiet : half)));
  });

  it("becomes infinite exactly from where it is said to overflow", () => {
    const limit = overflowOf[type];
    const below = new Float32Array(1);
    new Uint32Array(below.buffer)[0] = new Uint32Array(Float32Array.of(limit).buffer)[0]! - 1;
    const infinite = type === "F16" ? 0x7c00 : 0x7f80;
    expect(narrowed(type, [limit, -limit, below[0]!])).toEqual([infinite, infinite | 0x8000, infinite - 1]);
  });
});

it("F16 has the values of IEEE 754 binary16", () => {
  const floats = new Float32Array(every.length);
  widen("F16", every, floats);
  const expected = every.map((half) => half);
  const value = (half: number) => {
    const fraction = half & 1023;
    const exponent = (half >> 10) & 31;
    const sign = half & 0x8000 ? -1 : 1;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  };
  expect(floats).toEqual(Float32Array.from(expected, value));
});

it("F16 rounds to the nearest and halfway to the even one, subnormal numbers too", () => {
  expect(narrowed("F16", [1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20])).toEqual([
    0x3c00, 0x3c02, 0x3c01,
  ]);
  // halves of the smallest step go to the even neighbour: 0.5 → 0, 1.5 → 2, 2.5 → 2
  expect(
    narrowed(
      "F16",
      [0.5, 0.51, 1.5, 2.5, -1.5].map((steps) => steps * 2 ** -24),
    ),
  ).toEqual([0, 1, 2, 2, 0x8002]);
  // the largest subnormal, rounded up, is the smallest normal number
  expect(narrowed("F16", [1023.5 * 2 ** -24, 65519.9, 1e-30])).toEqual([0x400, 0x7bff, 0]);
});

it("BF16 rounds to the nearest and halfway to the even one", () => {
  expect(narrowed("BF16", [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -1 - 3 * 2 ** -8])).toEqual([
    0x3f80, 0x3f82, 0x3f81, 0xbf82,
  ]);
});
