import { toolFailures } from "../../reward/components.ts";
import type { GradeContext, RewardComponent } from "../../spec/environment.ts";
import { isExactMatch, mentions, wordF1 } from "./match-answer.ts";
import type { SearchAnswer, SearchInput } from "./question-kinds.ts";
import type { SearchOutcome } from "./research.ts";

const outcomeOf = ({ outcome }: GradeContext) => (outcome as SearchOutcome | undefined) ?? null;
const committedIn = (context: GradeContext) =>
  context.status === "completed" ? (outcomeOf(context)?.committed ?? null) : null;
const answerOf = ({ task }: GradeContext) => task.answer as SearchAnswer;
const isKnown = ({ task }: GradeContext) => (task.input as SearchInput).known;

/** Asked the engine, or opened a document: whatever came of it. */
const searched = ({ calls }: GradeContext) =>
  calls.some(
    ({ name, failure }) => (name === "search" || name === "open") && failure !== "invalid_arguments",
  );

/** Committed, the same as an accepted answer; that there is none counts only from one who has looked. */
export function isRight(context: GradeContext): boolean {
  const committed = committedIn(context);
  if (!committed) return false;
  const { answers, unanswerable } = answerOf(context);
  if (unanswerable && outcomeOf(context)!.searches.length === 0) return false;
  return isExactMatch(committed.answer, answers);
}

const metric = (grade: (context: GradeContext) => number | null): RewardComponent => ({ weight: 0, grade });
const share = (some: number, all: number) => (all === 0 ? null : some / all);

/** Exact match is what is learnt from; the rest says how the answer was come by. */
export const researchRewards: Record<string, RewardComponent> = {
  correct: { weight: 1, grade: (context) => (isRight(context) ? 1 : 0) },
  f1: metric((context) => {
    const committed = committedIn(context);
    if (!committed) return 0;
    const { answers, unanswerable } = answerOf(context);
    // that there is no answer is said or not said
    return unanswerable ? (isRight(context) ? 1 : 0) : wordF1(committed.answer, answers);
  }),
  answered: metric((context) => (committedIn(context) ? 1 : 0)),
  searches: metric((context) => outcomeOf(context)?.searches.length ?? null),
  cost: metric(
    (context) => outcomeOf(context)?.searches.reduce((total, { cost }) => total + cost, 0) ?? null,
  ),
  latencyMs: metric((context) => {
    const told = (outcomeOf(context)?.searches ?? []).flatMap(({ latencyMs }) => latencyMs ?? []);
    return share(
      told.reduce((total, latency) => total + latency, 0),
      told.length,
    );
  }),
  noisySearches: metric((context) => {
    const searches = outcomeOf(context)?.searches ?? [];
    return share(searches.filter(({ noisy }) => noisy).length, searches.length);
  }),
  overSearch: metric((context) => (isKnown(context) ? Number(searched(context)) : null)),
  underSearch: metric((context) => {
    if (isKnown(context)) return null;
    return committedIn(context) && !searched(context) && !isRight(context) ? 1 : 0;
  }),
  unsearched: metric((context) => {
    if (isKnown(context)) return null;
    return committedIn(context) && !searched(context) ? 1 : 0;
  }),
  grounded: metric((context) => {
    const committed = committedIn(context);
    if (!committed || isKnown(context) || !answerOf(context).stated) return null;
    const seen = context.calls.filter(
      ({ name, failure }) => failure === null && (name === "search" || name === "open"),
    );
    return seen.some(({ observation }) => mentions(observation, committed.answer)) ? 1 : 0;
  }),
  citedSeen: metric((context) => {
    const sources = committedIn(context)?.sources ?? [];
    const outcome = outcomeOf(context);
    const seen = new Set([
      ...(outcome?.opened ?? []),
      ...(outcome?.searches ?? []).flatMap(({ ids }) => ids),
    ]);
    return share(sources.filter((id) => seen.has(id)).length, sources.length);
  }),
  support: metric((context) => {
    const { sources } = answerOf(context);
    const opened = new Set(outcomeOf(context)?.opened);
    return isKnown(context) ? null : share(sources.filter((id) => opened.has(id)).length, sources.length);
  }),
  toolFailures: toolFailures(),
};
