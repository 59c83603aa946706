import { z } from "zod";
import { tool } from "../../environment/tool.ts";
import { type Execution, type Sandbox, SandboxError, type SandboxLanguage } from "../../spec/sandbox.ts";
import { type Tool, ToolError } from "../../spec/tool.ts";

/** What was done with the code of one episode. `refused` calls came after the budget and were not run. */
export type CodeRuns = { runs: number; errors: number; timeouts: number; refused: number };

export type CodeBudget = { calls: number; used: CodeRuns };

const parameters = z.object({ code: z.string().min(1).describe("what to run; print what you want to see") });

/** The sandbox ends runs itself; this is only for those that wait for others. */
const timeoutMs = 120_000;

/**
 * A tool that runs code in a sandbox, which is opened at the first call. Calls beyond the budget, which tools of a
 * session share, are not run and say so. What a program prints is cut in its middle to `outputCharacters`.
 */
export function codeTool({
  language,
  open,
  budget,
  outputCharacters,
}: {
  language: SandboxLanguage;
  open: () => Sandbox;
  budget: CodeBudget;
  outputCharacters: number;
}): Tool {
  const { calls, used } = budget;
  const shown = (text: string) => cutMiddle(text, outputCharacters);
  return tool({
    name: language,
    description: `Runs ${language === "python" ? "Python" : "JavaScript"}; variables stay for the next run. Shows what is printed and the last value.`,
    input: parameters,
    timeoutMs,
    async execute({ code }, { signal }) {
      if (used.runs >= calls) {
        used.refused++;
        throw new ToolError(`not run: all ${calls} runs are used; answer now`);
      }
      used.runs++;
      let execution: Execution;
      try {
        execution = await open().exec(code, { signal });
      } catch (error) {
        if (!(error instanceof SandboxError)) {
          // the world's failure: the run was not the policy's to lose
          used.runs--;
          throw error;
        }
        if (error.kind === "timeout") used.timeouts++;
        else used.errors++;
        throw new ToolError(
          [`${error.kind}: ${error.message}; nothing of this run is kept`, shown(error.output)]
            .filter(Boolean)
            .join("\n"),
        );
      }
      const { output, error } = execution;
      if (error === null) return shown(output) || "nothing was printed";
      used.errors++;
      throw new ToolError([shown(error), shown(output)].filter(Boolean).join("\n"));
    },
  });
}

/** The beginning and the end of a long text, since what matters is mostly printed last. */
export function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${text.slice(0, half)}\n[${text.length - 2 * half} characters left out]\n${text.slice(-half)}`;
}
