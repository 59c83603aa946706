import type { Execution } from "../multi-turn/execute.ts";
import type { PythonDict } from "../python/value.ts";

/**
 * Thrown by a call that needs what takes time. The simulators run calls in one go, as the original does; once `bring`
 * is done the same call is run again, and finds what it needs.
 */
export class Awaited extends Error {
  readonly bring: (signal?: AbortSignal) => Promise<void>;

  constructor(bring: (signal?: AbortSignal) => Promise<void>) {
    super("a call has to wait");
    this.name = "Awaited";
    this.bring = bring;
  }
}

/**
 * Runs calls whose methods may throw `Awaited`. A call that has to wait is undone before it is run again: `open`
 * makes the objects anew from the state in which `state` saw them.
 */
export function createPatientRun(open: (state: PythonDict | undefined) => Execution, state: StateOf) {
  let execution = open(undefined);
  return {
    current: () => execution,
    async run(calls: readonly string[], signal?: AbortSignal): Promise<string[]> {
      const results: string[] = [];
      for (const call of calls) {
        const before = state(execution);
        for (let text: string | undefined; text === undefined; ) {
          signal?.throwIfAborted();
          try {
            [text] = execution.run([call]);
          } catch (error) {
            if (!(error instanceof Awaited)) throw error;
            execution = open(before);
            await error.bring(signal);
            continue;
          }
          results.push(text ?? "");
        }
      }
      return results;
    },
  };
}

type StateOf = (execution: Execution) => PythonDict | undefined;
