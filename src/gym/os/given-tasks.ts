import { z } from "zod";
import { splitOf, toTask } from "../../environment/task.ts";
import type { Split, Task } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { OsInput } from "./os.ts";

/** A task of your own. It needs one of `answer`, `pattern` and `check`. */
export type OsTask = {
  question: string;
  /** By path from the home directory. */
  files?: Record<string, string>;
  /** Run before the agent is asked. */
  setup?: string;
  answer?: string | number;
  /** A regular expression that the whole answer must fit. */
  pattern?: string;
  /** Scripts that must all exit with 0 when the work is over; see `runChecks`. They see the files alone. */
  check?: string | string[];
  kind?: string;
  /** A fifth is held out where this is absent. */
  split?: Split;
};

const schema = z.strictObject({
  question: z.string().min(1),
  files: z.record(z.string(), z.string()).optional(),
  setup: z.string().optional(),
  answer: z.union([z.string().min(1), z.number()]).optional(),
  pattern: z.string().min(1).optional(),
  check: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  kind: z.string().min(1).optional(),
  split: z.enum(["train", "test"]).optional(),
});

/** Throws `AttuneError` (usage) that names the task and the field where one is not what it should be. */
export function toGivenTasks(tasks: readonly OsTask[]): Task<OsInput>[] {
  if (tasks.length === 0) throw new AttuneError("usage", "os: tasks: got none");
  return tasks.map((given, index) => {
    const refuse = (message: string): never => {
      throw new AttuneError("usage", `os: tasks[${index}]: ${message}`);
    };
    const parsed = schema.safeParse(given);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return refuse(`${issue!.path.join(".") || "task"}: ${issue!.message}`);
    }
    const { question, files = {}, setup, answer, pattern, check, kind = "given", split } = parsed.data;
    const ways = [answer, pattern, check].filter((way) => way !== undefined).length;
    if (ways !== 1) refuse(`expected one of answer, pattern and check, got ${ways}`);
    if (pattern !== undefined) {
      try {
        new RegExp(pattern, "u");
      } catch (error) {
        refuse(`pattern: ${(error as Error).message}`);
      }
    }
    return toTask({
      environment: "os",
      kind,
      input: { question, files, ...(setup !== undefined && { setup }) },
      answer:
        check !== undefined
          ? { check: [check].flat() }
          : pattern !== undefined
            ? { pattern }
            : { text: String(answer) },
      split: split ?? splitOf(question, { salt: "os-given" }),
    });
  });
}
