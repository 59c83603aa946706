/** How a checkpoint's numbers are stored; the engine computes in F32. */
export type ElementType = "F32" | "F16" | "BF16";

export const widthOfType = { F32: 4, F16: 2, BF16: 2 } as const satisfies Record<ElementType, number>;

/** Widens 16-bit numbers to floats, exactly: every F16 and BF16 has a float that is it, payloads of NaN included. */
export function widen(type: Exclude<ElementType, "F32">, halves: Uint16Array, floats: Float32Array): void {
  const bits = bitsOf(floats);
  // bfloat16 is the upper half of a float
  if (type === "BF16") for (let at = 0; at < halves.length; at++) bits[at] = halves[at]! << 16;
  else for (let at = 0; at < halves.length; at++) bits[at] = widenHalf(halves[at]!);
}

/** Rounds floats to 16 bits: to the nearest, and halfway to the even one. What is too large becomes infinite. */
export function narrow(type: Exclude<ElementType, "F32">, floats: Float32Array, halves: Uint16Array): void {
  const bits = bitsOf(floats);
  if (type === "BF16") for (let at = 0; at < bits.length; at++) halves[at] = narrowToBrain(bits[at]!);
  else for (let at = 0; at < bits.length; at++) halves[at] = narrowToHalf(bits[at]!);
}

/** The smallest magnitude that rounds to infinity. */
export const overflowOf = {
  F32: Number.POSITIVE_INFINITY,
  F16: 65520,
  BF16: (2 - 2 ** -8) * 2 ** 127,
} as const satisfies Record<ElementType, number>;

const bitsOf = ({ buffer, byteOffset, length }: Float32Array) => new Uint32Array(buffer, byteOffset, length);

/** IEEE 754 binary16 as the bits of a float. */
function widenHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // a subnormal half is a normal float: its highest bit becomes the implied one
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

function narrowToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 1023);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // below 2⁻¹⁴ the steps are 2⁻²⁴ wide
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const halfway = 1 << (shift - 1);
  return sign | (rest > halfway || (rest === halfway && kept & 1) ? kept + 1 : kept);
}

function narrowToBrain(bits: number): number {
  // rounding must not carry a NaN into infinity
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
