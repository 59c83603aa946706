import { z } from "zod";
import { deriveSeed } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import type { WebAnswer, WebEngine } from "../../spec/web.ts";
import { type Patience, retryAfterMs, type Try, withPatience } from "../chat/patience.ts";
import { type HttpAnswer, HttpFailure, requestJson } from "../http-json.ts";
import { openPublicPage, type PublicPageOptions } from "./public-page.ts";

export type SerpApiOptions = {
  key: string;
  /** Where the service is. */
  baseUrl?: string;
  timeoutMs?: number;
  patience?: Partial<Patience>;
  page?: Omit<PublicPageOptions, "signal">;
};

const patient: Patience = { retries: 8, budgetMs: 600_000, firstDelayMs: 2000, mostDelayMs: 120_000 };

const found = z.looseObject({
  organic_results: z
    .array(z.looseObject({ title: z.string(), link: z.string(), snippet: z.string().optional() }))
    .optional(),
  error: z.string().optional(),
});

/**
 * The live web: DuckDuckGo by way of SerpApi, as the leaderboard searches, and pages as they are. A busy service is
 * asked again; a refused key or an empty account is a `usage` error, which ends the evaluation.
 */
export function serpApi(options: SerpApiOptions): WebEngine {
  const { key, baseUrl = "https://serpapi.com", page = {} } = options;
  if (key === "") throw new AttuneError("usage", "SerpApi: expected a key, got none");
  let requests = 0;
  return {
    name: "duckduckgo by SerpApi",
    search({ keywords, region }, { signal = new AbortController().signal }) {
      const address = new URL("/search.json", baseUrl);
      const asked = { engine: "duckduckgo", q: keywords, kl: region, api_key: key };
      for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
      const seed = deriveSeed(0, "search", requests++);
      return withPatience(() => tryOnce(address.href, options, signal), {
        ...patient,
        ...options.patience,
        seed,
        signal,
      });
    },
    open: (url, { signal }) => openPublicPage(url, { ...page, ...(signal && { signal }) }),
  };
}

async function tryOnce(
  url: string,
  { timeoutMs = 60_000 }: SerpApiOptions,
  signal: AbortSignal,
): Promise<Try<WebAnswer>> {
  let answer: HttpAnswer;
  try {
    answer = await requestJson(url, { timeoutMs, maxBytes: 8 * 2 ** 20, signal });
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    return { again: new AttuneError("environment", `SerpApi: ${error.message}`, { cause: error }) };
  }
  const { status, headers, value } = answer;
  const read = found.safeParse(value);
  const said = read.data?.error;
  const line = `SerpApi: ${status}${said === undefined ? "" : `: ${said}`}`;
  if (status === 401 || status === 403) throw new AttuneError("usage", line);
  if (status === 429 || status >= 500 || said?.includes("429")) {
    const afterMs = retryAfterMs(headers, Date.now());
    return { again: new AttuneError("environment", line), ...(afterMs !== undefined && { afterMs }) };
  }
  if (!read.success)
    throw new AttuneError("environment", `${line}: expected organic_results of {title, link, snippet}`);
  const { organic_results: hits } = read.data;
  if (hits === undefined)
    return {
      done: { error: "Failed to retrieve the search results from server. Please try again later." },
    };
  return { done: { hits: hits.map(({ title, link, snippet }) => ({ title, link, snippet })) } };
}
