import { type Move, scripted } from "../../environment/script.ts";
import type { Player, Task } from "../../spec/environment.ts";
import { type Look, type SearchAnswer, type SearchInput, unanswerableAnswer } from "./question-kinds.ts";

/** Wordings that are tried until an article turns up: an engine with noise needs another one now and then. */
const wordings: readonly ((look: Look) => string)[] = [
  ({ query }) => query,
  ({ title, query }) => title || query,
  ({ title }) => `article about ${title}`,
  ({ title }) => `${title} encyclopaedia`,
];

/**
 * Careful searches and reads article after article, and commits what it read; it searches for nothing that it knows.
 * Hasty leaves the last article out, and commits the last name it came by, or that it does not know.
 */
export function researcher(task: Task, style: "careful" | "hasty"): Player {
  const { plan, known, conclusion } = task.input as SearchInput;
  const { answers, unanswerable } = task.answer as SearchAnswer;
  const looks = known ? [] : style === "hasty" ? plan.slice(0, -1) : plan;
  const guess = plan.length > 1 ? plan.at(-1)!.title : "unknown";
  const told = style === "hasty" && !known ? guess : answers[0]!;
  return scripted((observations): Move => {
    const sources: string[] = [];
    let missing = false;
    let at = 0;
    for (const look of looks) {
      let opened = false;
      for (const wording of unanswerable ? wordings.slice(0, 2) : wordings) {
        const found = observations[at++];
        if (found === undefined)
          return { thought: look.thought, call: { name: "search", arguments: { query: wording(look) } } };
        const id = idOf(found, look.title);
        if (id === undefined) continue;
        if (observations[at++] === undefined)
          return {
            thought: `I read ${look.title || "the first"}.`,
            call: { name: "open", arguments: { id } },
          };
        sources.push(id);
        opened = true;
        break;
      }
      missing = !opened && !unanswerable && look.title !== "";
      if (missing) break;
    }
    const answer = missing ? unanswerableAnswer : told;
    if (observations.length > at) return { answer };
    const thought = style === "hasty" ? "I answer." : missing ? "I cannot find it." : conclusion;
    return { thought, call: { name: "answer", arguments: { answer, sources } } };
  });
}

/** The id of the document with a title, in the lines that a search gives; of the first one without a title. */
function idOf(found: string, title: string): string | undefined {
  const line = found.split("\n").find((text) => title === "" || text.includes(`] ${title}: `));
  return /^\[(\S+)\]/.exec(line ?? "")?.[1];
}
