import { sameAnswer } from "../../reward/answer.ts";
import { type Sandbox, SandboxError } from "../../spec/sandbox.ts";

/** What makes a task solved: an answer, a pattern that the whole answer fits, or scripts that all succeed. */
export type Goal = { text?: string; pattern?: string; check?: string[] };

/** Numbers are compared as numbers, text after case and spaces are evened out; a pattern is matched as it stands. */
export function sameText(committed: string, { text, pattern }: Goal): boolean {
  if (pattern !== undefined) return new RegExp(`^(?:${pattern})$`, "u").test(committed.trim());
  return text !== undefined && sameAnswer(committed.trim(), text);
}

/**
 * A chain of check scripts, as in AgentBench: the first is given the answer as `$1`, each later one also what those
 * before it printed. One that exits with another code than 0, or uses up what the sandbox allows, ends the chain. A
 * sandbox that dies is thrown: it says nothing about the work.
 */
export async function runChecks(
  sandbox: Sandbox,
  { scripts, answer }: { scripts: readonly string[]; answer: string },
): Promise<{ passed: boolean; said: string }> {
  const given = [answer];
  for (const script of scripts) {
    try {
      const { output, error } = await sandbox.exec(`set -- ${given.map(quote).join(" ")}\n${script}`);
      if (error !== null) return { passed: false, said: `${output}\n${error}`.trim().slice(0, 200) };
      given.push(output);
    } catch (error) {
      if (!(error instanceof SandboxError) || error.kind === "crashed") throw error;
      return { passed: false, said: error.message.slice(0, 200) };
    }
  }
  return { passed: true, said: "" };
}

/** The files that must be left, no more and no fewer, as a check script. */
export function treeCheck(files: Readonly<Record<string, string>>): string {
  const list = Object.keys(files)
    .map((path) => `./${path}`)
    .sort()
    .join("\n");
  return [
    `[ "$(find . -type f | LC_ALL=C sort)" = ${quote(list)} ] || { echo "other files"; exit 1; }`,
    ...Object.entries(files).map(
      ([path, content]) =>
        `[ "$(cat ${quote(path)})" = ${quote(content.replace(/\n+$/, ""))} ] || { echo ${quote(`other content: ${path}`)}; exit 1; }`,
    ),
  ].join("\n");
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
