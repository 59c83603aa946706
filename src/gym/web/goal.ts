import type { Json } from "../../spec/json.ts";

/**
 * One step of a right way. Elements are named as they are shown: `button "Save"`. `seek` follows `by` (the next
 * page, say) until an element is there.
 */
export type PlanStep =
  | { click: string }
  | { type: string; text: string }
  | { select: string; option: string }
  | { press: "Enter" | "Space" }
  | { seek: string; by: string };

/** A task of the web: a site with what it holds, where it is opened and what is wanted. */
export type WebInput = {
  goal: string;
  site: string;
  data: Json;
  path: string;
  plan: PlanStep[];
  /** What a player answers that looks no further than the first page; null where nothing is asked. */
  guess: string | null;
};

/** What the site must hold in the end (null: what it held before), and for a question the value asked for. */
export type WebAnswer = { data: Json; value: string | null };

/** A drawn goal; `key` says what is held out. */
export type Goal = { input: WebInput; answer: WebAnswer; key: string };

/** A goal that changes something. */
export const change = ({
  data,
  expected,
  key,
  ...input
}: Omit<WebInput, "guess"> & { expected: unknown; data: unknown; key: string }): Goal => ({
  input: { ...input, data: data as Json, guess: null },
  answer: { data: expected as Json, value: null },
  key,
});

/** A goal that asks for something. */
export const question = ({
  data,
  value,
  key,
  ...input
}: Omit<WebInput, "guess"> & { data: unknown; value: string; guess: string; key: string }): Goal => ({
  input: { ...input, data: data as Json } as WebInput,
  answer: { data: null, value },
  key,
});

/** The number of a day from a bounded range, as a date. */
export function dayOf(
  random: { integer(bound: number): number },
  { year, days = 365 }: { year: number; days?: number },
) {
  return new Date(Date.UTC(year, 0, 1 + random.integer(days))).toISOString().slice(0, 10);
}
