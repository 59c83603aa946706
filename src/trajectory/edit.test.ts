import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Trajectory } from "../spec/trajectory.ts";
import { conversation, observed, said } from "../testing/trajectories.ts";
import { appendEdit, applyEdit, type Edit, editTrajectory, readEdits } from "./edit.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "attune-edit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const played = (): Trajectory => {
  const trajectory = conversation({ reward: 0, nodes: [observed(1), said([2]), observed(3), said([4])] });
  const messages = [
    { role: "user", content: "plan" },
    { role: "assistant", content: "first this", toolCalls: [{ id: "c", name: "look", arguments: {} }] },
    { role: "tool", callId: "c", name: "look", content: "nothing", failure: "tool_error" },
    { role: "assistant", content: "done" },
  ] as const;
  for (const [index, node] of trajectory.nodes.entries())
    node.message = structuredClone(messages[index]) as Trajectory["nodes"][number]["message"];
  return trajectory;
};

async function all(path: string): Promise<Edit[]> {
  const edits: Edit[] = [];
  for await (const edit of readEdits(path)) edits.push(edit);
  return edits;
}

test("an edited turn keeps its calls, and nothing after it; the loss looks at it alone", () => {
  const before = played();
  const edit = editTrajectory(before, { node: 1, content: "first that", by: "ann" });
  const after = applyEdit(before, edit);
  expect(before).toEqual(played());
  expect(after.nodes.map(({ mask }) => mask)).toEqual([false, true]);
  expect(after.nodes[1]).toMatchObject({
    message: { content: "first that", toolCalls: [{ name: "look" }] },
    gap: ["tokens"],
    sampled: false,
  });
  expect(after).toMatchObject({ id: "group/0/edit-1", player: "ann", reward: null });
});

test("calls can be changed and taken away", () => {
  const edit = editTrajectory(played(), { node: 1, toolCalls: [] });
  expect(edit.edited).toEqual({ role: "assistant", content: "first this" });
});

test("refuses a node without a message, calls of somebody who makes none, and an edit that changes nothing", () => {
  expect(() => editTrajectory(played(), { node: 9, content: "" })).toThrow(
    "trajectory group/0: expected a node that holds a message (0, 1, 2, 3), got 9",
  );
  expect(() => editTrajectory(played(), { node: 0, toolCalls: [] })).toThrow("got a user message");
  expect(() => editTrajectory(played(), { node: 3, content: "done" })).toThrow("got the same");
});

test("refuses an edit of another message than the one that stands there", () => {
  const edit = editTrajectory(played(), { node: 3, content: "not yet" });
  expect(() => applyEdit(played(), { ...edit, node: 1 })).toThrow("made of another message");
});

test("a file of edits is only added to, and a torn last line does not spoil the next", async () => {
  const path = join(folder, "run.edits.jsonl");
  const first = editTrajectory(played(), { node: 3, content: "not yet" });
  const second = editTrajectory(played(), { node: 2, content: "something" });
  await appendEdit(path, first);
  appendFileSync(path, '{"format":1,"traj');
  await appendEdit(path, second);
  expect(await all(path)).toEqual([first, second]);
});

test("a line that is no edit is named", async () => {
  const path = join(folder, "run.edits.jsonl");
  writeFileSync(path, '{"format":1,"trajectory":"a","node":-1}\n');
  await expect(all(path)).rejects.toThrow(/run\.edits\.jsonl:1: node: /);
  await expect(all(join(folder, "none"))).rejects.toThrow("there is no such file of edits");
});
