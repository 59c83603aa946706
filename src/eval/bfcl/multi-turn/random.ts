import { createHash } from "node:crypto";
import { PythonError } from "../python/error.ts";
import { type PythonValue, typeName } from "../python/value.ts";

/** `random.Random(seed)` of Python, draw for draw. */
export type PythonRandom = {
  /** A float in [0, 1) of 53 random bits. */
  random(): number;
  uniform(low: number, high: number): number;
  /** An integer from low to high, both included. */
  randint(low: bigint, high: bigint): bigint;
};

const length = 624;
const middle = 397;

/**
 * A Mersenne Twister (MT19937, Matsumoto and Nishimura 1998) seeded as CPython does it. The state is made at the
 * first draw, because most simulators never draw.
 */
export function createPythonRandom(seed: PythonValue): PythonRandom {
  const key = seedKey(seed);
  let words: Uint32Array | undefined;
  let at = length;
  const word = (): number => {
    words ??= stateOf(key);
    if (at >= length) {
      twist(words);
      at = 0;
    }
    let bits = words[at++] as number;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  };
  const random = (): number => {
    const high = word() >>> 5;
    return (high * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992;
  };
  return {
    random,
    uniform: (low, high) => low + (high - low) * random(),
    randint(low, high) {
      const width = high - low + 1n;
      if (width <= 0n) {
        throw new PythonError("ValueError", `empty range for randrange() (${low}, ${high + 1n}, ${width})`);
      }
      const bits = width.toString(2).length;
      let drawn = drawBits(bits, word);
      while (drawn >= width) drawn = drawBits(bits, word);
      return low + drawn;
    },
  };
}

/** `getrandbits(count)`: whole words from the lowest up; the last gives its highest bits. */
function drawBits(count: number, word: () => number): bigint {
  if (count <= 32) return BigInt(word() >>> (32 - count));
  let bits = 0n;
  for (let from = 0; from < count; from += 32) {
    const left = count - from;
    bits |= BigInt(left < 32 ? word() >>> (32 - left) : word()) << BigInt(from);
  }
  return bits;
}

/** The seed as 32-bit words, lowest first. */
function seedKey(seed: PythonValue): number[] {
  let rest = seedNumber(seed);
  const key: number[] = [];
  do {
    key.push(Number(rest & 0xffff_ffffn));
    rest >>= 32n;
  } while (rest > 0n);
  return key;
}

function seedNumber(seed: PythonValue): bigint {
  if (typeof seed === "boolean") return seed ? 1n : 0n;
  if (typeof seed === "bigint") return seed < 0n ? -seed : seed;
  if (typeof seed === "number" && Number.isFinite(seed)) return BigInt.asUintN(64, hashOf(seed));
  if (typeof seed === "string") {
    const bytes = Buffer.from(seed);
    const hash = createHash("sha512").update(bytes).digest();
    return BigInt(`0x${Buffer.concat([bytes, hash]).toString("hex")}`);
  }
  throw new PythonError(
    "TypeError",
    `a seed of type ${typeName(seed)} cannot be repeated: expected an integer or a text`,
  );
}

const states = new Map<string, Uint32Array>();

/** The first state of a seed. It is remembered, because items start from few seeds. */
function stateOf(key: readonly number[]): Uint32Array {
  const name = key.join();
  let state = states.get(name);
  if (state === undefined) {
    state = seeded(key);
    if (states.size >= 64) states.clear();
    states.set(name, state);
  }
  return state.slice();
}

/** `hash(value)` of a float, which Python seeds with: the fraction it stands for, modulo the prime 2^61 - 1. */
function hashOf(value: number): bigint {
  const prime = 2n ** 61n - 1n;
  let whole = Math.abs(value);
  let halvings = 0n;
  for (; !Number.isInteger(whole); whole *= 2) halvings++;
  // 2^61 is 1 here, so 2^60 is one half.
  const size = (BigInt(whole) << ((60n * halvings) % 61n)) % prime;
  const hash = value < 0 ? -size : size;
  return hash === -1n ? -2n : hash;
}

/** `init_by_array`. */
function seeded(key: readonly number[]): Uint32Array {
  const words = new Uint32Array(length);
  words[0] = 19_650_218;
  for (let i = 1; i < length; i++) words[i] = Math.imul(1_812_433_253, mixed(words, i)) + i;
  let i = 1;
  let j = 0;
  const advance = () => {
    if (++i < length) return;
    words[0] = words[length - 1] as number;
    i = 1;
  };
  for (let k = Math.max(length, key.length); k > 0; k--) {
    words[i] = ((words[i] as number) ^ Math.imul(mixed(words, i), 1_664_525)) + (key[j] as number) + j;
    advance();
    j = (j + 1) % key.length;
  }
  for (let k = length - 1; k > 0; k--) {
    words[i] = ((words[i] as number) ^ Math.imul(mixed(words, i), 1_566_083_941)) - i;
    advance();
  }
  words[0] = 0x8000_0000;
  return words;
}

function mixed(words: Uint32Array, i: number): number {
  const before = words[i - 1] as number;
  return before ^ (before >>> 30);
}

function twist(words: Uint32Array): void {
  for (let i = 0; i < length; i++) {
    const next = words[(i + 1) % length] as number;
    const bits = ((words[i] as number) & 0x8000_0000) | (next & 0x7fff_ffff);
    words[i] = (words[(i + middle) % length] as number) ^ (bits >>> 1) ^ (next & 1 ? 0x9908_b0df : 0);
  }
}
