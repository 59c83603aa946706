import type { WebAnswer, WebEngine, WebPage } from "../../../spec/web.ts";
import type { SimulatorClass } from "../multi-turn/simulator.ts";
import { PythonError } from "../python/error.ts";
import { missingMethod } from "../python/lines.ts";
import { isTrue, subscript } from "../python/operators.ts";
import { str } from "../python/text.ts";
import { dictGet, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { Awaited } from "./awaited.ts";
import { toMarkdown, toPlainText } from "./page-text.ts";

/** What has been searched and read, so that a call that had to wait finds it. */
export type Known = { answers: Map<string, WebAnswer>; pages: Map<string, WebPage> };

/** The two tools of the web search categories. `show_snippet` of the configuration says whether hits have a text. */
export function createWebSearch(engine: WebEngine, known: Known): SimulatorClass {
  const answerTo = (keywords: string, region: string): WebAnswer => {
    const key = JSON.stringify([keywords, region]);
    const answer = known.answers.get(key);
    if (answer !== undefined) return answer;
    throw new Awaited(async (signal) => {
      known.answers.set(key, await engine.search({ keywords, region }, signal ? { signal } : {}));
    });
  };
  const pageAt = (url: string): WebPage => {
    const page = known.pages.get(url);
    if (page !== undefined) return page;
    throw new Awaited(async (signal) => {
      known.pages.set(url, await engine.open(url, signal ? { signal } : {}));
    });
  };

  return {
    name: "WebSearchAPI",
    create(config) {
      const shown = isTrue(dictGet(config, "show_snippet") ?? true);
      return {
        methods: {
          search_engine_query: {
            parameters: [
              { name: "keywords" },
              { name: "max_results", default: 10n },
              { name: "region", default: "wt-wt" },
            ],
            call(keywords = null, most = null, region = null) {
              const answer = answerTo(str(keywords), str(region));
              if ("error" in answer) return toDict({ error: answer.error });
              if (most !== null && typeof most !== "bigint" && typeof most !== "boolean")
                throw new PythonError(
                  "TypeError",
                  "slice indices must be integers or None or have an __index__ method",
                );
              const hits = most === null ? answer.hits : answer.hits.slice(0, Number(most));
              return hits.map(({ title, link, snippet }) => {
                const hit = toDict({ title, href: link });
                if (shown) hit.set("body", snippet ?? subscript(new Map(), "snippet"));
                return hit;
              });
            },
          },
          fetch_url_content: {
            parameters: [{ name: "url" }, { name: "mode", default: "raw" }],
            call: (url = null, mode = null) => contentOf(url, mode, pageAt),
          },
        },
        state: () => toDict({ show_snippet: shown }),
      };
    },
  };
}

const readings: ReadonlyMap<PythonValue, (html: string) => string> = new Map([
  ["raw", (html: string) => html],
  ["markdown", toMarkdown],
  ["truncate", toPlainText],
]);

function contentOf(url: PythonValue, mode: PythonValue, pageAt: (url: string) => WebPage): PythonDict {
  if (typeof url !== "string") throw missingMethod(url, "startswith");
  if (!/^https?:\/\//.test(url)) throw new PythonError("ValueError", `Invalid URL: ${url}`);
  const page = pageAt(url);
  const read = readings.get(mode);
  const error =
    "error" in page ? page.error : read === undefined ? `Unsupported mode: ${str(mode)}` : undefined;
  if (error !== undefined) return toDict({ error: `An error occurred while fetching ${url}: ${error}` });
  return toDict({ content: read!((page as { html: string }).html) });
}
