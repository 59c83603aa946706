import { expect, it } from "vitest";
import { z } from "zod";
import type { Environment, Session, Task } from "../spec/environment.ts";
import { defineEnvironment } from "./define-environment.ts";
import { tool } from "./tool.ts";

const task: Task = { id: "1", environment: "door", kind: "open", input: { code: [1, 2] }, split: "train" };
const context = { seed: 1, signal: new AbortController().signal };

const door = (changes: Partial<Environment> = {}): Environment => ({
  name: "door",
  description: "A door.",
  tasks: () => [task],
  start: () => ({ messages: [{ role: "user", content: "open it" }], tools: [] }),
  rewards: { open: { weight: 1, grade: () => 1 } },
  ...changes,
});

const knock = () =>
  tool({ name: "knock", description: "Knocks.", input: z.object({}), execute: () => "who is there?" });

it.each([
  [{ name: "My Door" }, 'environment "My Door": expected a name of lower-case letters, digits and dashes'],
  [{ rewards: {} }, 'environment "door": expected at least one reward component'],
  [
    { rewards: { open: { weight: Number.NaN, grade: () => 1 } } },
    'environment "door": reward "open": expected a finite weight, got NaN',
  ],
  [
    { rewards: { open: { weight: 0, grade: () => 1 } } },
    'environment "door": every reward has weight 0: there is nothing to learn from',
  ],
])("refuses a definition that cannot work (%#)", (changes, message) => {
  expect(() => defineEnvironment(door(changes))).toThrow(expect.objectContaining({ kind: "usage", message }));
});

it("gives tasks that nothing can change", () => {
  const [given] = defineEnvironment(door()).tasks({ split: "train", seed: 1 });
  expect(() => Object.assign(given!, { answer: "42" })).toThrow(TypeError);
  expect(() => (given!.input as { code: number[] }).code.push(3)).toThrow(TypeError);
});

it.each<[Partial<Session>, string]>([
  [{ tools: [knock(), knock()] }, 'environment "door": tool "knock" is there twice'],
  [{ messages: [] }, 'environment "door": a session started without messages'],
])("refuses a session that cannot be played, and closes it (%#)", async (part, message) => {
  let closed = 0;
  const close = () => {
    closed++;
  };
  const start = () => ({ messages: [{ role: "user" as const, content: "open" }], tools: [], close, ...part });
  const opening = (async () => defineEnvironment(door({ start })).start(task, context))();
  await expect(opening).rejects.toMatchObject({ kind: "environment", message });
  expect(closed).toBe(1);
});
