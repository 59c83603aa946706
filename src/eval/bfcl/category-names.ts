import { AttuneError } from "../../spec/error.ts";
import { categories, categoryGroups } from "./categories.ts";
import { formatSensitivity } from "./run/question.ts";

const isSingleTurn = (name: string) =>
  (categoryGroups.non_live as readonly string[]).includes(name) ||
  (categoryGroups.live as readonly string[]).includes(name);
const isOtherLanguage = (name: string) => name.startsWith("simple_java");

/** Groups of categories by the leaderboard's names. */
const groups: Readonly<Record<string, readonly string[]>> = {
  all: [...categories, formatSensitivity],
  all_scoring: categories,
  ...categoryGroups,
  single_turn: categories.filter(isSingleTurn),
  agentic: [...categoryGroups.memory, ...categoryGroups.web_search],
  python: categories.filter((name) => isSingleTurn(name) && !isOtherLanguage(name)),
  non_python: categories.filter(isOtherLanguage),
};

/** Names of categories and of groups of them, as categories in the leaderboard's order. */
export function readCategories(names: readonly string[]): string[] {
  const wanted = new Set(
    names.flatMap((name) => {
      const group = Object.hasOwn(groups, name) ? groups[name] : undefined;
      if (group !== undefined) return group;
      if (groups["all"]?.includes(name)) return [name];
      const known = [...Object.keys(groups), ...(groups["all"] ?? [])].join(", ");
      throw new AttuneError("usage", `category: got "${name}", expected one of ${known}`);
    }),
  );
  return (groups["all"] ?? []).filter((name) => wanted.has(name));
}
