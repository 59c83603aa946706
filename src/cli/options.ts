import { InvalidArgumentError } from "commander";

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number above 0, got "${text}"`);
  return value;
}

export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError(`expected a whole number, got "${text}"`);
  return value;
}

export function nonNegativeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0))
    throw new InvalidArgumentError(`expected a number of 0 or more, got "${text}"`);
  return value;
}

/** For options that may be given several times. */
export const collect = (value: string, sofar: string[] = []) => [...sofar, value];
