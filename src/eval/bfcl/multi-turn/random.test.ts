import { expect, it } from "vitest";
import { PythonError } from "../python/error.ts";
import { createPythonRandom } from "./random.ts";

it("draws what random.Random of Python 3.11 draws from the same seed", () => {
  const bookings = createPythonRandom(141_053n);
  expect([bookings.randint(1_000_000n, 9_999_999n), bookings.randint(1_000_000n, 9_999_999n)]).toEqual([
    3_426_812n,
    5_431_449n,
  ]);
  expect(createPythonRandom(1_053_520n).random()).toBe(0.5265434537333772);
  expect(createPythonRandom(141_053n).uniform(-10, 40)).toBe(36.63485703790535);
});

it("takes negative, large and textual seeds, and ranges of more than one word", () => {
  const draws = (seed: bigint | string) => {
    const random = createPythonRandom(seed);
    return [random.randint(-5n, 2n ** 64n), random.random()];
  };
  expect(draws(-5n)).toEqual([15501686781378355946n, 0.7759585674357169]);
  expect(draws(2n ** 70n + 3n)).toEqual([3031927435338096375n, 0.36260782215870113]);
  expect(draws("abc é")).toEqual([6232560468553426782n, 0.8357490650662793]);
});

it("refuses an empty range as Python does, and seeds that cannot be repeated", () => {
  expect(() => createPythonRandom(1n).randint(3n, 2n)).toThrow(
    new PythonError("ValueError", "empty range for randrange() (3, 3, 0)"),
  );
  expect(() => createPythonRandom(null)).toThrow("a seed of type NoneType cannot be repeated");
});
