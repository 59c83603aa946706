import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { AttuneError } from "../../spec/error.ts";
import type { Message, ToolCall } from "../../spec/message.ts";
import type { Trajectory } from "../../spec/trajectory.ts";
import { appendEdit, editTrajectory } from "../../trajectory/edit.ts";
import { nonNegativeInteger } from "../options.ts";
import { storedTrajectories } from "../stored.ts";

type Options = {
  node?: number;
  text?: string;
  file?: string;
  calls?: string;
  by?: string;
  edits?: string;
  json: boolean;
};

export function addEdit(program: Command): void {
  program
    .command("edit <what> <trajectory>")
    .description("say what a message of a stored trajectory should have been, beside the original")
    .option("--node <index>", "which message; without it they are listed", nonNegativeInteger)
    .option("--text <text>", "what it should say")
    .option("--file <file>", "a file with what it should say")
    .option("--calls <json>", "the calls it should make: a list of {id, name, arguments}")
    .option("--by <name>", "who edits")
    .option("--edits <file>", "where edits are kept (beside WHAT)")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText(
      "after",
      "\nWithout --text, --file and --calls the message opens in $EDITOR. The trajectory is never changed; edits are added\nto a file of their own and exported with attune export --edits.\n\nExamples:\n  attune edit runs/shop-1 episode-7\n  attune edit runs/shop-1 episode-7 --node 2 --text 'First search, then compare.'\n",
    )
    .action(async (what: string, id: string, given: Options) => {
      const trajectory = await find(what, id);
      const { node, calls, by } = given;
      if (node === undefined) {
        list(trajectory, given.json);
        return;
      }
      const message = trajectory.nodes[node]?.message;
      const content = message ? textFor(message, given) : undefined;
      const edit = editTrajectory(trajectory, {
        node,
        ...(content !== undefined && { content }),
        ...(calls !== undefined && { toolCalls: readCalls(calls) }),
        ...(by !== undefined && { by }),
        at: new Date().toISOString(),
      });
      const path = given.edits ?? besideOf(what);
      await appendEdit(path, edit);
      process.stdout.write(
        given.json ? `${JSON.stringify({ ...edit, path })}\n` : `node ${node} of ${id} edited, in ${path}\n`,
      );
    });
}

/** Where the edits of a run, a store or a file are kept unless somewhere else is named. */
const besideOf = (what: string) => `${what.replace(/\/+$|\.jsonl$/, "")}.edits.jsonl`;

async function find(what: string, id: string): Promise<Trajectory> {
  for await (const trajectory of storedTrajectories(what)) if (trajectory.id === id) return trajectory;
  throw new AttuneError("usage", `${what}: expected a trajectory ${JSON.stringify(id)}, got none of that id`);
}

function list({ nodes }: Trajectory, json: boolean): void {
  const messages = nodes.flatMap(({ message }, node) => (message ? [{ node, message }] : []));
  if (json) process.stdout.write(`${JSON.stringify(messages)}\n`);
  else
    for (const { node, message } of messages) {
      const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
      const said = [message.content, ...calls.map(({ name }) => `→ ${name}`)]
        .join(" ")
        .replaceAll(/\s+/g, " ");
      process.stdout.write(`${String(node).padStart(4)} ${message.role.padEnd(9)} ${said.slice(0, 100)}\n`);
    }
}

function textFor(message: Message, { text, file, calls }: Options): string | undefined {
  if (text !== undefined && file !== undefined)
    throw new AttuneError("usage", "expected --text or --file, got both");
  if (text !== undefined) return text;
  if (file !== undefined) {
    if (!existsSync(file)) throw new AttuneError("usage", `--file: ${file}: there is no such file`);
    return readFileSync(file, "utf8").replace(/\n$/, "");
  }
  return calls === undefined ? throughEditor(message.content) : undefined;
}

function throughEditor(content: string): string {
  const editor = process.env.EDITOR;
  if (!editor)
    throw new AttuneError("usage", "expected --text, --file, --calls or $EDITOR, got none of them");
  const folder = mkdtempSync(join(tmpdir(), "attune-edit-"));
  try {
    const file = join(folder, "message.md");
    writeFileSync(file, `${content}\n`);
    // $EDITOR may hold options, as in "code --wait"; the file is the shell's argument and never part of its text
    const { status, error } = spawnSync("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
    if (error || status !== 0)
      throw new AttuneError(
        "io",
        `$EDITOR (${editor}): expected it to end well, got ${error?.message ?? `exit code ${status}`}`,
      );
    return readFileSync(file, "utf8").replace(/\n$/, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readCalls(text: string): ToolCall[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AttuneError("usage", `--calls: expected JSON, got ${text.slice(0, 80)}`);
  }
  const isCall = (each: unknown): each is ToolCall => {
    const { id, name, arguments: given } = (each ?? {}) as Partial<ToolCall>;
    return (
      typeof id === "string" &&
      typeof name === "string" &&
      typeof given === "object" &&
      given !== null &&
      !Array.isArray(given)
    );
  };
  if (Array.isArray(value) && value.every(isCall)) return value;
  throw new AttuneError("usage", "--calls: expected a list of {id, name, arguments}, got something else");
}
