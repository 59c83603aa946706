import type { WebEngine } from "../../../spec/web.ts";
import { startExecution } from "../multi-turn/execute.ts";
import { toDict } from "../python/value.ts";
import type { Worlds } from "../run/world.ts";
import { createPatientRun } from "./awaited.ts";
import { createWebSearch } from "./web-search.ts";

/** The worlds of the web search categories, which differ in whether hits have a text. None without an engine. */
export function webWorlds(owner: string, { engine }: { engine?: WebEngine | undefined }): Worlds {
  const isWeb = (category: string) => category.startsWith("web_search");
  return {
    has: (category) => engine !== undefined && isWeb(category),
    whyNot: (category) => (isWeb(category) && !engine ? "its tools need a search engine" : undefined),
    open({ id, category }) {
      const web = createWebSearch(engine!, { answers: new Map(), pages: new Map() });
      const open = () =>
        startExecution({
          id,
          involvedClasses: [web.name],
          initialConfig: toDict({ [web.name]: toDict({ show_snippet: !category.includes("no_snippet") }) }),
          longContext: false,
          owner: owner.replace(/[-/.]/g, "_"),
          classes: { [web.name]: web },
        });
      return { run: createPatientRun(open, () => undefined).run };
    },
  };
}
