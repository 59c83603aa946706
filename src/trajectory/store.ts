import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { readJsonLines } from "../kit/jsonl.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory, TrajectoryNode } from "../spec/trajectory.ts";

/**
 * Trajectories as JSONL, one to a line; token ids and log-probabilities as base64 of their typed arrays (little
 * endian), which is exact and a third of the size of decimal numbers.
 */
export async function appendTrajectories(path: string, trajectories: readonly Trajectory[]): Promise<void> {
  if (trajectories.length === 0) return;
  await mkdir(dirname(path), { recursive: true });
  await appendFile(
    path,
    trajectories.map((trajectory) => `${JSON.stringify(trajectory, encode)}\n`).join(""),
  );
}

/** Streams the trajectories of a file. A torn last line is skipped; anything else that is wrong names its line. */
export async function* readTrajectories(path: string): AsyncGenerator<Trajectory> {
  for await (const { line, value } of readJsonLines(path)) {
    const parsed = lineSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new AttuneError(
        "input",
        `${path}:${line}: ${issue.path.join(".") || "trajectory"}: ${issue.message}`,
      );
    }
    const { nodes, ...rest } = parsed.data;
    yield { ...rest, nodes: nodes.map(decodeNode) } as unknown as Trajectory;
  }
}

function encode(_key: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

const nodeSchema = z.looseObject({
  parent: z.number().int().nonnegative().nullable(),
  turn: z.number().int().nonnegative(),
  tokens: z.base64(),
  logprobs: z.base64().nullable(),
  sampled: z.boolean(),
  mask: z.boolean(),
});

const lineSchema = z.looseObject({
  format: z.literal(1),
  id: z.string(),
  step: z.number(),
  group: z.string(),
  status: z.string(),
  task: z.looseObject({ id: z.string(), environment: z.string() }),
  calls: z.array(z.looseObject({ name: z.string(), observation: z.string() })),
  rewards: z.record(z.string(), z.number().nullable()),
  reward: z.number().nullable(),
  nodes: z.array(nodeSchema),
});

function decodeNode(node: z.infer<typeof nodeSchema>): TrajectoryNode {
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "base64")).buffer;
  return {
    ...node,
    tokens: new Int32Array(bytes(node.tokens)),
    logprobs: node.logprobs === null ? null : new Float32Array(bytes(node.logprobs)),
  } as unknown as TrajectoryNode;
}
