import { AttuneError } from "../../../spec/error.ts";
import type { StoredRows } from "../result-files.ts";
import { type Answer, type AskOptions, askOnce, converse } from "./ask.ts";
import { type AskedCategory, canBeAsked, type Found } from "./find-questions.ts";
import { replayConversation } from "./memory.ts";
import type { Question } from "./question.ts";
import type { World, Worlds } from "./world.ts";

export type Settle = (question: Question, stored: StoredRows, answer: Answer) => void;
export type Fail = (question: Question, error: unknown) => void;
export type Job = {
  questions: number;
  work(options: AskOptions, settle: Settle, fail: Fail): Promise<void>;
};

/** Memories are filled first, one conversation after another; their questions come last, so that few have to wait. */
export function toJobs(asked: readonly Found[], worlds: Worlds): Job[] {
  const first: Job[] = [];
  const middle: Job[] = [];
  const last: Job[] = [];
  for (const found of asked) {
    // Results that came from elsewhere are judged, also where the questions cannot be asked here.
    if (!canBeAsked(found.category, worlds)) continue;
    const pending = found.questions.filter(({ id }) => !found.stored.rows.has(id));
    if (found.chains === undefined) {
      for (const question of pending)
        middle.push(
          toJob(question, found.stored, async () =>
            question.isStateful ? worlds.open(question) : undefined,
          ),
        );
      continue;
    }
    for (const [scenario, chain] of found.chains) {
      const own = pending.filter((question) => question.scenario === scenario);
      if (own.length === 0) continue;
      const memory = fillMemory(chain, (found.conversations as AskedCategory).stored, worlds);
      first.push(memory.job);
      for (const question of own)
        last.push(toJob(question, found.stored, async () => forkOf(await memory.filled, question)));
    }
  }
  return [...first, ...middle, ...last];
}

function forkOf(world: World, question: Question): World {
  return world.fork?.(question) ?? world;
}

function toJob(question: Question, stored: StoredRows, open: () => Promise<World | undefined>): Job {
  return {
    questions: 1,
    async work(options, settle, fail) {
      try {
        settle(question, stored, await answerOf(question, await open(), options));
      } catch (error) {
        options.signal?.throwIfAborted();
        fail(question, error);
      }
    },
  };
}

async function answerOf(question: Question, world: World | undefined, options: AskOptions): Promise<Answer> {
  try {
    return world === undefined ? await askOnce(question, options) : await converse(question, world, options);
  } catch (error) {
    if (!(error instanceof AttuneError) || error.kind !== "engine") throw error;
    return { result: `Error during inference: ${error.message}` };
  }
}

function fillMemory(
  chain: readonly Question[],
  stored: StoredRows,
  worlds: Worlds,
): { job: Job; filled: Promise<World> } {
  const { promise, resolve, reject } = Promise.withResolvers<World>();
  // Those who wait for it hear of a failure themselves; nobody may be waiting yet.
  promise.catch(() => {});
  const job: Job = {
    questions: chain.filter(({ id }) => !stored.rows.has(id)).length,
    async work(options, settle, fail) {
      let at = chain[0] as Question;
      try {
        let world = await worlds.open(at);
        for (const question of chain) {
          if (question !== at) world = forkOf(world, question);
          at = question;
          const row = stored.rows.get(question.id)?.row;
          if (row !== undefined) await replayConversation(question, row, world, options);
          else settle(question, stored, await answerOf(question, world, options));
        }
        resolve(world);
      } catch (error) {
        reject(error);
        options.signal?.throwIfAborted();
        fail(at, error);
      }
    },
  };
  return { job, filled: promise };
}
