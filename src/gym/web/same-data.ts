import type { Json } from "../../spec/json.ts";

/**
 * Whether two sites hold the same. Lists of records are compared without regard to order and to numbers that the site
 * gave (`id`), so that it does not matter in which order things were made.
 */
export function sameData(given: Json | undefined, expected: Json): boolean {
  return given !== undefined && canonical(given) === canonical(expected);
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.keys(value)
    .filter((name) => name !== "id")
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`);
  return `{${parts.join(",")}}`;
}
