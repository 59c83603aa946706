import { z } from "zod";
import { defineEnvironment } from "../../environment/define-environment.ts";
import { type Move, scripted } from "../../environment/script.ts";
import { pickKinds, type TaskKind, taskStream } from "../../environment/task-stream.ts";
import { tool } from "../../environment/tool.ts";
import { givenAnswer, sameAnswer } from "../../reward/answer.ts";
import { format, toolUse } from "../../reward/components.ts";
import type { Environment, GradeContext, Task } from "../../spec/environment.ts";
import type { Json } from "../../spec/json.ts";
import { createShell } from "./shell.ts";
import { drawFolders, drawValue, type Folder, pathOf, toTree } from "./world.ts";

/** `plan` is a right solution: shell commands in which `#` is the value seen last and `*` a listed ending. */
export type FilesInput = { question: string; tree: Record<string, string>; plan: string[] };

/** What must hold at the end: the whole tree, and for a question the value that was asked for. */
export type FilesAnswer = { tree: Record<string, string>; value: string | null };

const parameters = z.object({ command: z.string() });

/**
 * Finding, reading and changing files in an in-memory bash. Graded on the tree that is left. `kinds` chooses among
 * known, read, follow, write and copy.
 */
export function files({ kinds: only = Object.keys(kinds) }: { kinds?: readonly string[] } = {}): Environment {
  const asked = pickKinds(kinds, { only, environment: "files" });
  return defineEnvironment<FilesInput>({
    name: "files",
    description: "Find, read and edit files in an in-memory shell.",
    tasks: ({ split, seed }) =>
      taskStream({ environment: "files", kinds: asked, salt: "files-2", split, seed }),
    start({ input }) {
      const shell = createShell(input.tree);
      return {
        messages: [
          { role: "system", content: "files" },
          { role: "user", content: input.question },
        ],
        tools: [
          tool({
            name: "shell",
            description: "Runs a bash command in the agent's home directory and returns what it prints.",
            input: parameters,
            execute: ({ command }, { signal }) => shell.run(command, { signal }),
          }),
        ],
        outcome: () => shell.tree(),
      };
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isDone(context) ? 1 : 0) },
      format: format(),
      toolUse: toolUse({ isCorrect: isDone }),
    },
    experts: { careful: (task) => play(task, "careful"), hasty: (task) => play(task, "hasty") },
  });
}

function isDone({ task, status, answer, outcome }: GradeContext): boolean {
  const expected = task.answer as FilesAnswer;
  if (status !== "completed" || !sameTree(outcome, expected.tree)) return false;
  return expected.value === null || sameAnswer(givenAnswer(answer), expected.value);
}

function sameTree(outcome: Json | undefined, expected: Record<string, string>): boolean {
  if (outcome === undefined) return false;
  const tree = outcome as Record<string, string>;
  const paths = Object.keys(expected);
  return Object.keys(tree).length === paths.length && paths.every((path) => tree[path] === expected[path]);
}

/** Careful does the whole plan; hasty leaves its last command out. */
function play(task: Task, style: "careful" | "hasty") {
  const { plan } = task.input as FilesInput;
  const { value } = task.answer as FilesAnswer;
  const last = style === "hasty" && plan.length > 1 ? plan.length - 1 : plan.length;
  return scripted((observations): Move => {
    const done = observations.length;
    const seen = observations.at(-1) ?? "";
    if (done === last) return { answer: value === null ? "done" : seen.split("\n")[0]!.replace(/^see /, "") };
    const ending = /\.(\w+)/.exec(observations[0] ?? "")?.[1] ?? "";
    const path = /^see (\S+)$/.exec(seen)?.[1] ?? seen;
    const command = plan[done]!.replace("#", path).replace("*", ending);
    const thought = command.startsWith("ls") ? "look" : command.startsWith("cat") ? "open" : "change";
    return { thought, call: { name: "shell", arguments: { command } } };
  });
}

function toDraw(
  folders: readonly Folder[],
  {
    question,
    plan,
    value = null,
    changes = {},
    key,
  }: {
    question: string;
    plan: string[];
    value?: string | null;
    changes?: Record<string, string>;
    key: string;
  },
) {
  const tree = toTree(folders);
  return { input: { question, tree, plan }, answer: { tree: { ...tree, ...changes }, value }, key };
}

const kinds: Record<string, TaskKind<FilesInput>> = {
  known(random) {
    const [folder, other] = drawFolders(random);
    const key = random.pick(Object.keys(folder.files));
    const path = pathOf(folder, key);
    return toDraw([folder, other], {
      question: `read ${path}`,
      plan: [`cat ${path}`],
      value: folder.files[key]!,
      key: `${key} ${folder.name}`,
    });
  },
  read(random) {
    const [folder, other] = drawFolders(random);
    const key = random.pick(Object.keys(folder.files));
    const plan = [`ls ${folder.name}`, `cat ${folder.name}/${key}.*`];
    return toDraw([folder, other], {
      question: `value of ${key} in ${folder.name}?`,
      plan,
      value: folder.files[key]!,
      key: `${key} ${folder.name}`,
    });
  },
  follow(random) {
    const [folder, other] = drawFolders(random);
    const key = random.pick(Object.keys(folder.files));
    const target = random.pick(Object.keys(other.files));
    folder.files[key] = `see ${pathOf(other, target)}`;
    const plan = [`ls ${folder.name}`, `cat ${folder.name}/${key}.*`, "cat #"];
    return toDraw([folder, other], {
      question: `value of ${key} in ${folder.name}?`,
      plan,
      value: other.files[target]!,
      key: `${key} ${folder.name}`,
    });
  },
  write(random) {
    const [folder, other] = drawFolders(random);
    const key = random.pick(Object.keys(folder.files));
    const value = drawValue(random);
    const plan = [`ls ${folder.name}`, `echo ${value} > ${folder.name}/${key}.*`];
    const changes = { [pathOf(folder, key)]: value };
    return toDraw([folder, other], {
      question: `set ${key} in ${folder.name} to ${value}`,
      plan,
      changes,
      key: `${key} ${folder.name}`,
    });
  },
  copy(random) {
    const [folder, other] = drawFolders(random);
    const key = random.pick(Object.keys(folder.files));
    const [from, to] = [pathOf(folder, key), pathOf(other, random.pick(Object.keys(other.files)))];
    const changes = { [to]: folder.files[key]! };
    return toDraw([folder, other], {
      question: `copy ${from} to ${to}`,
      plan: [`cat ${from}`, `echo # > ${to}`],
      changes,
      key: `${key} ${folder.name}`,
    });
  },
};
