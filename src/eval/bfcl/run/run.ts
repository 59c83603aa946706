import { mapPool } from "../../../kit/pool.ts";
import type { ChatModel } from "../../../spec/chat-model.ts";
import { AttuneError } from "../../../spec/error.ts";
import { readJson } from "../python/json.ts";
import { appendResult, orderResults } from "../result-files.ts";
import type { AskOptions } from "./ask.ts";
import { type AskedCategory, findQuestions, type Wanted } from "./find-questions.ts";
import { type Fail, type Settle, toJobs } from "./jobs.ts";
import { checkSettings, settingsOf } from "./settings.ts";

export type RunOptions = Wanted & {
  /** Without it nothing is asked, and what is stored is all there is. */
  model: ChatModel | undefined;
  /** Questions that are asked at once. */
  concurrency: number;
  request: AskOptions["request"];
  worldsOf?: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
  onProgress?(progress: RunProgress): void;
};

export type RunProgress = { category: string; done: number; total: number; failed: number };

export type RunOutcome = {
  asked: AskedCategory[];
  /** Categories that were wanted and cannot be asked, with the reason. */
  leftOut: Record<string, string>;
  /** Questions that got no answer because the model could not be reached; another run asks them again. */
  unanswered: { id: string; error: string }[];
  /** Lines of result files that were not results. */
  problems: string[];
};

/** After so many failures in a row the model counts as gone, and the run stops. */
const mostFailures = 10;

/**
 * Asks every question that has no stored result, several at a time, and stores each answer as it comes: a run that
 * is stopped goes on where it was. What the model itself cannot take (a prompt that is too long) is stored as an
 * error, as the leaderboard does, and counts against it; a server that does not answer does not.
 */
export async function runQuestions(options: RunOptions): Promise<RunOutcome> {
  const { folder, mode, model, concurrency, signal, onProgress } = options;
  if (model !== undefined) checkSettings(folder.settings, settingsOf(options));
  const { asked, leftOut } = findQuestions(options);
  const files = asked.flatMap((found): AskedCategory[] =>
    found.conversations === undefined ? [found] : [found.conversations, found],
  );
  const outcome: RunOutcome = {
    asked,
    leftOut,
    unanswered: [],
    problems: files.flatMap(({ stored }) => stored.problems),
  };
  if (model === undefined) return outcome;

  const jobs = toJobs(asked, options.worlds);
  const total = jobs.reduce((count, job) => count + job.questions, 0);
  let done = 0;
  let failedInARow = 0;
  const tell = (category: string) =>
    onProgress?.({ category, done, total, failed: outcome.unanswered.length });
  const settle: Settle = (question, stored, answer) => {
    const row = { id: question.id, ...answer };
    const text = appendResult(folder.result(question.category), row);
    stored.rows.set(question.id, { id: question.id, text, row: readJson(text) as never });
    done++;
    failedInARow = 0;
    tell(question.category);
  };
  const fail: Fail = (question, error) => {
    if (!(error instanceof AttuneError) || error.kind !== "environment") throw error;
    outcome.unanswered.push({ id: question.id, error: error.message });
    done++;
    if (++failedInARow >= mostFailures) {
      const left = total - done + outcome.unanswered.length;
      throw new AttuneError(
        "environment",
        `${error.message} (${mostFailures} times in a row; ${left} questions left)`,
      );
    }
    tell(question.category);
  };
  const askOptions: AskOptions = { model, mode, request: options.request, ...(signal && { signal }) };
  try {
    tell(jobs.length === 0 ? "nothing left to ask" : (asked[0]?.category ?? ""));
    await mapPool(jobs, concurrency, (job) => job.work(askOptions, settle, fail), signal);
  } finally {
    for (const { category, questions, stored } of files) {
      const ids = questions.map(({ id }) => id);
      orderResults(folder.result(category), ids, stored);
    }
  }
  return outcome;
}
