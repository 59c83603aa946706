import { AttuneError } from "../../spec/error.ts";

/** A place in a foreign file: which file, which line or row of it, and which field there. */
export type Spot = { file: string; line?: number; field: string };

export type Fields = { [key: string]: unknown };

export const within = (spot: Spot, key: string | number): Spot => ({
  ...spot,
  field: spot.field === "" ? `${key}` : `${spot.field}.${key}`,
});

/** One line that names file, line and field, what belongs there and what was found. */
export function wrong(spot: Spot, expected: string, got: unknown): AttuneError {
  const shown = got === undefined ? "nothing" : (JSON.stringify(got) ?? typeof got);
  const place = spot.line === undefined ? spot.file : `${spot.file}:${spot.line}`;
  const short = shown.length > 80 ? `${shown.slice(0, 79)}…` : shown;
  return new AttuneError("input", `${place}: ${spot.field || "row"}: expected ${expected}, got ${short}`);
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, spot: Spot): Fields {
  if (isObject(value)) return value;
  throw wrong(spot, "an object", value);
}

export function listAt(value: unknown, spot: Spot): unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(spot, "a list", value);
}

export function textAt(value: unknown, spot: Spot): string {
  if (typeof value === "string") return value;
  throw wrong(spot, "a text", value);
}

/** A value that stands as JSON in a text. */
export function jsonAt(value: unknown, spot: Spot): unknown {
  try {
    return JSON.parse(textAt(value, spot));
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    throw wrong(spot, "JSON in a text", value);
  }
}
