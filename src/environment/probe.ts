import type { Environment, Session, Task } from "../spec/environment.ts";
import { AttuneError } from "../spec/error.ts";
import { checkTools } from "./check-tools.ts";

export type Probe = {
  findings: string[];
  /** Every tool that was offered. */
  offered: string[];
  /** Nothing can be played: the sessions never open, or the environment itself refuses them. */
  hopeless: boolean;
};

/** Opens a session for each task, one after the other, looks at its tools and closes it. */
export async function probe(
  environment: Environment,
  { tasks, seed, timeoutMs }: { tasks: readonly Task[]; seed: number; timeoutMs: number },
): Promise<Probe> {
  const findings = new Set<string>();
  const offered = new Set<string>();
  for (const task of tasks) {
    const opened = await open(environment, { task, seed, timeoutMs });
    if (opened === "never") {
      findings.add(`a session never opens: task ${task.id} was waited for ${timeoutMs} ms`);
      return { findings: [...findings], offered: [...offered], hopeless: true };
    }
    if (opened instanceof Error) {
      // what a definition is refused for is the same for every task; anything else may be this task's bad luck
      if (!(opened instanceof AttuneError)) continue;
      findings.add(opened.message.replace(`environment "${environment.name}": `, "").split("\n", 1)[0]!);
      return { findings: [...findings], offered: [...offered], hopeless: true };
    }
    if (Array.isArray(opened.tools)) {
      for (const finding of checkTools(opened.tools)) findings.add(finding);
      for (const { name } of opened.tools) offered.add(name);
    }
    await Promise.race([closed(opened), after(timeoutMs)]);
  }
  return { findings: [...findings], offered: [...offered], hopeless: false };
}

async function open(
  environment: Environment,
  { task, seed, timeoutMs }: { task: Task; seed: number; timeoutMs: number },
): Promise<Session | Error | "never"> {
  const controller = new AbortController();
  const opening = (async () => environment.start(task, { seed, signal: controller.signal }))();
  const opened = opening.catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
  const first = await Promise.race([opened, after(timeoutMs)]);
  if (first !== undefined) return first;
  controller.abort();
  // one that comes after all is not wanted any more
  void opened.then((late) => (late instanceof Error ? undefined : closed(late)));
  return "never";
}

const closed = async (session: Session) => {
  try {
    await session.close?.();
  } catch {
    // it is not counted as closed, which is said elsewhere
  }
};

/** Undefined, later; keeps nothing alive. */
const after = (milliseconds: number) =>
  new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), milliseconds).unref();
  });
