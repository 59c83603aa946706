import type { Json, JsonObject } from "../../spec/json.ts";
import { operate } from "./operations.ts";
import { type Changes, changesBetween, createShop } from "./shop.ts";

/** A call of a right solution. An argument `$0.id` stands for `id` of what the first call gave (of its first row). */
export type Step = { name: string; arguments: JsonObject };

/** What must hold at the end: what was changed and, for a question, what was asked for. */
export type ShopAnswer = { changes: Changes; value: string | null };

const reference = /^\$(\d+)\.(\w+)$/;

/** Puts what earlier calls gave into a step's arguments. */
export function fill(step: Step, given: readonly Json[]): JsonObject {
  const { arguments: args } = step;
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, lookUp(value, given)]));
}

/** A value, or what it refers to. */
export function lookUp(value: Json, given: readonly Json[]): Json {
  const match = typeof value === "string" ? reference.exec(value) : null;
  if (!match) return value;
  const seen = given[Number(match[1])];
  const record = (Array.isArray(seen) ? seen[0] : seen) as JsonObject | null | undefined;
  return record?.[match[2]!] ?? "";
}

/** What a plan leads to in a shop of its own; undefined where one of its steps is refused. */
export function outcomeOf(
  plan: readonly Step[],
  { shop: seed, answer }: { shop: number; answer: string | null },
): ShopAnswer | undefined {
  const shop = createShop(seed);
  const given: Json[] = [];
  for (const step of plan) {
    const { status, body } = operate(shop, step.name, fill(step, given));
    if (status >= 300) return undefined;
    given.push(body);
  }
  const value = answer === null ? null : String(lookUp(answer, given) as string | number);
  return { changes: changesBetween(createShop(seed), shop), value };
}
