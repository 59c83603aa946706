import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSafetensors, readSafetensors, type Tensor, writeSafetensors } from "./safetensors.ts";

const scratch = () => join(mkdtempSync(join(tmpdir(), "attune-tensors-")), "x.safetensors");

/** A file put together by hand: a header as given, then bytes. */
function file(header: unknown, body: Uint8Array = new Uint8Array(0)): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = scratch();
  writeFileSync(path, Buffer.concat([length, text, body]));
  return path;
}

const entry = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const bytesOf = (values: Uint16Array | Float32Array) => new Uint8Array(values.buffer);

describe("safetensors", () => {
  it("reads back what it wrote, bit for bit, in order and with the header padded to eight bytes", () => {
    const path = scratch();
    const odd = Float32Array.of(1e-45, -0, Number.POSITIVE_INFINITY, 3.4e38, 0.1, -7);
    const tensors = new Map<string, Tensor>([
      ["second", { shape: [2, 3], data: odd }],
      ["scalar", { shape: [], data: Float32Array.of(5) }],
      ["nothing", { shape: [0, 4], data: new Float32Array(0) }],
      ["a view", { shape: [2], data: new Float32Array([9, 8, 7, 6]).subarray(1, 3) }],
    ]);
    writeSafetensors(path, tensors);
    expect(new Map(readSafetensors(path))).toEqual(
      new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }])),
    );
    expect(Number(readFileSync(path).readBigUInt64LE()) % 8).toBe(0);
  });

  it("holds pieces of a large tensor, which are the whole when put together", () => {
    const path = scratch();
    const data = Float32Array.from({ length: 600_001 }, (_, index) => index / 8);
    for (const type of ["F32", "BF16"] as const) {
      writeSafetensors(path, new Map([["a", { shape: [data.length], data }]]), { type });
      const tensors = openSafetensors(path);
      const whole = tensors.read("a");
      const joined = new Float32Array(data.length);
      let largest = 0;
      for (const { from, floats } of tensors.pieces("a")) {
        joined.set(floats, from);
        largest = Math.max(largest, floats.length);
      }
      tensors.close();
      expect(joined).toEqual(whole);
      expect(largest).toBe(2 ** 18);
      if (type === "F32") expect(whole).toEqual(data);
      else
        expect(
          Math.max(...Array.from(whole.slice(0, 1000), (value, at) => Math.abs(value - at / 8))),
        ).toBeLessThan(0.5);
    }
  });

  it("writes 16 bits that come back as they were", () => {
    const path = scratch();
    for (const type of ["F16", "BF16"] as const) {
      const tensors = new Map([["a", { shape: [3], data: Float32Array.of(0.5, -3, 2 ** -14) }]]);
      writeSafetensors(path, tensors, { type });
      expect(readFileSync(path, "latin1")).toContain(`"dtype":"${type}","shape":[3],"data_offsets":[0,6]`);
      expect(new Map(readSafetensors(path))).toEqual(tensors);
    }
  });

  it("widens half and bfloat16 exactly", () => {
    const half = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555, 0x8000);
    const brain = Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001);
    const path = file(
      { brain: entry("BF16", [2, 2], 14, 22), half: entry("F16", [7], 0, 14) },
      Buffer.concat([bytesOf(half), bytesOf(brain)]),
    );
    const tensors = new Map(readSafetensors(path));
    expect([...tensors.get("half")!.data]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      Number.POSITIVE_INFINITY,
      0.333251953125,
      -0,
    ]);
    expect([...tensors.get("brain")!.data]).toEqual([1, -3.140625, Number.POSITIVE_INFINITY, 2 ** -133]);
  });

  const four = bytesOf(Float32Array.of(1));
  const eight = bytesOf(Float32Array.of(1, 2));
  it.each<[string, () => string, RegExp]>([
    ["an empty header", () => file("", new Uint8Array(0)), /header, got something that is not JSON/],
    ["a header that is not JSON", () => file("nonsense"), /got something that is not JSON/],
    ["a header that is a list", () => file([1]), /not one of safetensors/],
    [
      "a negative side",
      () => file({ a: entry("F32", [-1], 0, 4) }, four),
      /not one of safetensors: a\.shape\.0/,
    ],
    [
      "integers",
      () => file({ a: entry("I64", [1], 0, 8) }, eight),
      /"a": expected F32, F16 or BF16, got I64/,
    ],
    [
      "a shape of another size",
      () => file({ a: entry("F32", [3], 0, 8) }, eight),
      /"a": shape \[3\] of F32 needs 12 bytes, got 8/,
    ],
    [
      "a shape whose size overflows",
      () => file({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 8) }, eight),
      /"a": shape \[1099511627776,1099511627776\]/,
    ],
    ["offsets that run backwards", () => file({ a: entry("F32", [1], 4, 0) }, four), /needs 4 bytes, got -4/],
    [
      "a tensor past its end",
      () => file({ a: entry("F32", [2], 0, 8) }, four),
      /truncated: tensor "a" ends at/,
    ],
    [
      "tensors that overlap",
      () => file({ a: entry("F32", [1], 0, 4), b: entry("F32", [1], 2, 6) }, eight),
      /tensor "b" begins at \d+, inside/,
    ],
    [
      "a gap between tensors",
      () => file({ a: entry("F32", [1], 4, 8) }, eight),
      /4 bytes before tensor "a" belong to none/,
    ],
    [
      "bytes after the last",
      () => file({ a: entry("F32", [1], 0, 4) }, eight),
      /4 bytes after the last tensor belong to none/,
    ],
    [
      "a tensor named twice",
      () =>
        file(
          '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
          four,
        ),
      /its header names tensor "a" twice/,
    ],
    [
      "a type that is a novel",
      () => file({ a: entry("F\n".repeat(99), [1], 0, 4) }, four),
      /F16 or BF16, got F\\nF\\n.*…$/,
    ],
    [
      "a folder in its place",
      () => mkdtempSync(join(tmpdir(), "attune-tensors-")),
      /got something that is no file/,
    ],
    ["no file behind it", scratch, /expected a safetensors file, got ENOENT/],
  ])("refuses a file with %s, and names it", (_what, make, message) => {
    const path = make();
    expect(() => [...readSafetensors(path)]).toThrow(message);
    expect(() => [...readSafetensors(path)]).toThrow(path);
  });

  it("refuses a header that claims to be larger than the file, or than any header", () => {
    const path = file({});
    const claim = (length: bigint) => {
      const content = Buffer.from(readFileSync(path));
      content.writeBigUInt64LE(length);
      writeFileSync(path, content);
    };
    claim(1000n);
    expect(() => [...readSafetensors(path)]).toThrow("truncated: its header ends at 1008, the file at 10");
    claim(2n ** 60n);
    expect(() => [...readSafetensors(path)]).toThrow("expected a header of at most 100000000 bytes");
  });
});
