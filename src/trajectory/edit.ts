import { existsSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { readJsonLines } from "../kit/jsonl.ts";
import { AttuneError } from "../spec/error.ts";
import type { Message, ToolCall } from "../spec/message.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { pathTo } from "./path.ts";
import { sameJson } from "./same-message.ts";

const call = z.object({ id: z.string(), name: z.string(), arguments: z.record(z.string(), z.json()) });

const message = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), content: z.string() }),
  z.object({ role: z.literal("user"), content: z.string() }),
  z.object({ role: z.literal("assistant"), content: z.string(), toolCalls: z.array(call).optional() }),
  z.object({
    role: z.literal("tool"),
    callId: z.string(),
    name: z.string(),
    content: z.string(),
    failure: z.enum(["invalid_arguments", "tool_error", "timeout", "infrastructure"]).optional(),
  }),
]);

const editSchema = z.object({
  format: z.literal(1),
  trajectory: z.string(),
  node: z.number().int().nonnegative(),
  original: message,
  edited: message,
  by: z.string().optional(),
  at: z.string().optional(),
});

/** What somebody would have had a message of a trajectory say. The trajectory itself stays what it was. */
export type Edit = {
  format: 1;
  trajectory: string;
  /** Index of the message's node. */
  node: number;
  original: Message;
  edited: Message;
  /** Who edited, and when (ISO 8601). */
  by?: string;
  at?: string;
};

/** Edits a message of a trajectory: what it says, and for a turn what it calls. Nothing is written. */
export function editTrajectory(
  trajectory: Trajectory,
  change: { node: number; content?: string; toolCalls?: readonly ToolCall[]; by?: string; at?: string },
): Edit {
  const { node, content, toolCalls, by, at } = change;
  const original = messageAt(trajectory, node);
  const where = `trajectory ${trajectory.id}, node ${node}`;
  if (toolCalls && original.role !== "assistant")
    throw new AttuneError(
      "usage",
      `${where}: expected a turn to change the calls of, got a ${original.role} message`,
    );
  const edited = { ...original, ...(content !== undefined && { content }) } as Message;
  if (edited.role === "assistant" && toolCalls) {
    if (toolCalls.length > 0) edited.toolCalls = [...toolCalls];
    else delete edited.toolCalls;
  }
  if (sameJson(edited, original))
    throw new AttuneError(
      "usage",
      `${where}: expected another message than the one that stands there, got the same`,
    );
  return {
    format: 1,
    trajectory: trajectory.id,
    node,
    original,
    edited,
    ...(by !== undefined && { by }),
    ...(at !== undefined && { at }),
  };
}

/**
 * The trajectory as it would be had the edited message been said: the path to it, and it. What followed answers
 * another message and is dropped. A loss looks at the edited message only, when it is a turn; its tokens, and those
 * of all that stood before it where it is none, are a gap.
 */
export function applyEdit(trajectory: Trajectory, edit: Edit): Trajectory {
  const { node, edited } = edit;
  requireOriginal(trajectory, edit);
  const path = pathTo(trajectory, node);
  const nodes = path.map((each, index): Trajectory["nodes"][number] => {
    const parent = index === 0 ? null : index - 1;
    if (index < path.length - 1) return { ...each, parent, mask: false };
    return {
      parent,
      turn: each.turn,
      message: edited,
      tokens: new Int32Array(0),
      logprobs: null,
      sampled: false,
      mask: edited.role === "assistant",
      policyVersion: null,
      gap: ["tokens"],
      ...(each.offered && { offered: each.offered }),
    };
  });
  const { error: _error, outcome: _outcome, ...rest } = trajectory;
  const last = path.at(-1)!.turn;
  return {
    ...rest,
    id: `${trajectory.id}/edit-${node}`,
    player: edit.by ?? "editor",
    nodes,
    calls: trajectory.calls.filter(({ turn }) => turn < last),
    status: "completed",
    rewards: {},
    reward: null,
  };
}

/** Refuses an edit of another message than the one that stands there. */
export function requireOriginal(trajectory: Trajectory, edit: Edit): void {
  if (edit.trajectory === trajectory.id && sameJson(messageAt(trajectory, edit.node), edit.original)) return;
  throw new AttuneError(
    "input",
    `trajectory ${trajectory.id}, node ${edit.node}: the edit was made of another message than the one that stands there`,
  );
}

function messageAt({ id, nodes }: Trajectory, node: number): Message {
  const found = nodes[node];
  if (found?.message) return found.message;
  const some = nodes.flatMap((each, index) => (each.message ? [index] : []));
  throw new AttuneError(
    "usage",
    `trajectory ${id}: expected a node that holds a message (${some.join(", ") || "there is none"}), got ${node}`,
  );
}

/** Adds an edit to a file of edits, which is only ever added to. */
export async function appendEdit(path: string, edit: Edit): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // what a crash left of a last line must not swallow this one
    const torn = size > 0 && last[0] !== 10;
    if (torn) await file.truncate(await endOfWholeLines(file, size));
    await file.appendFile(`${JSON.stringify(edit)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function endOfWholeLines(file: Awaited<ReturnType<typeof open>>, size: number): Promise<number> {
  const chunk = Buffer.alloc(Math.min(size, 1 << 20));
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(10);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  return 0;
}

/** Edits in the order they were made; a torn last line is skipped. */
export async function* readEdits(path: string): AsyncGenerator<Edit> {
  if (!existsSync(path)) throw new AttuneError("input", `${path}: there is no such file of edits`);
  try {
    for await (const { line, value } of readJsonLines(path)) {
      const parsed = editSchema.safeParse(value);
      if (!parsed.success) {
        const issue = parsed.error.issues[0]!;
        throw new AttuneError(
          "input",
          `${path}:${line}: ${issue.path.join(".") || "edit"}: ${issue.message}`,
        );
      }
      yield parsed.data as Edit;
    }
  } catch (error) {
    if (error instanceof AttuneError) throw error;
    throw new AttuneError("input", (error as Error).message, { cause: error });
  }
}
