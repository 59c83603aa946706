import { setTimeout as delay } from "node:timers/promises";
import { HttpFailure, requestJson } from "../../connect/http-json.ts";
import { createRandom, deriveSeed } from "../../kit/random.ts";
import { AttuneError } from "../../spec/error.ts";
import type { SearchEngine, SearchHit } from "./search-engine.ts";

export type HttpEngineOptions = {
  /** Stands in records and errors; put the service's version in. */
  name: string;
  /** Address of a JSON API; `{query}` and `{top}` in it are filled in, percent-encoded. */
  url: string;
  /** Sent by POST; in its strings `{query}` and `{top}` are filled in, and a string that is `{top}` alone becomes a number. */
  body?: Record<string, unknown>;
  /** Keys go here. They are in no record and no error. */
  headers?: Record<string, string>;
  /** Where the results are in the answer, and where in a result its parts are: names with dots between them. */
  results: string;
  fields: { id: string; title: string; snippet: string; text?: string };
  /** What one request costs, in any unit. A retry is a request; one that was refused by 429 costs nothing. */
  price?: number;
  timeoutMs?: number;
  /** Requests after the first, where one was refused by 429, 5xx, a deadline or a broken connection. */
  retries?: number;
  /** The first wait; each is twice as long as the one before. A Retry-After that asks for longer is kept. */
  firstDelayMs?: number;
  /** No wait is longer: a Retry-After beyond it is a failure at once. */
  mostDelayMs?: number;
  maxBytes?: number;
};

/** A result has at most this many characters of text. */
const mostCharacters = 200_000;

/**
 * A live search service behind a JSON API. Whatever goes wrong with it after its retries is an `AttuneError` of the
 * environment, which no policy is graded for. Throws `AttuneError` (usage) for options that cannot work.
 */
export function httpEngine(options: HttpEngineOptions): SearchEngine {
  checkOptions(options);
  const { name, url, body, headers, price = 0, timeoutMs = 10_000, retries = 3 } = options;
  const { firstDelayMs = 500, mostDelayMs = 20_000, maxBytes = 2 ** 20 } = options;
  const failed = (message: string, cause?: unknown) =>
    new AttuneError("environment", `search engine "${name}": ${message}`, { cause });

  return {
    name,
    async search(query, { signal, top, seed = 0 }) {
      const target = fillIn(url, { query: encodeURIComponent(query), top });
      const request = {
        ...(body && { body: fillDeep(body, { query, top }) }),
        ...(headers && { headers }),
        timeoutMs,
        maxBytes,
        signal,
      };
      const random = createRandom(deriveSeed(seed, "search retry", query));
      let cost = 0;
      for (let attempt = 0; ; attempt++) {
        const since = performance.now();
        let refusal: string;
        let askedMs = 0;
        let cause: unknown;
        try {
          const { status, headers: answered, value } = await requestJson(target, request);
          if (status !== 429) cost += price;
          if (status < 300) {
            const hits = toHits(value, options, failed).slice(0, top);
            return { hits, cost, latencyMs: Math.round(performance.now() - since) };
          }
          refusal = `answered with status ${status}`;
          if (status !== 429 && status < 500) throw failed(refusal);
          askedMs = retryAfterMs(answered.get("retry-after"));
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof HttpFailure)) throw error;
          if (!error.unsent) cost += price;
          refusal = error.message;
          cause = error;
        }
        if (attempt >= retries) throw failed(`${refusal}, after ${attempt + 1} requests`, cause);
        if (askedMs > mostDelayMs)
          throw failed(`${refusal} and asks to wait ${askedMs} ms, longer than ${mostDelayMs}`);
        // jitter spreads the sessions that were refused together
        const backOffMs = Math.min(mostDelayMs, firstDelayMs * 2 ** attempt) * (0.5 + random.next() / 2);
        await delay(Math.max(askedMs, backOffMs), undefined, { signal });
      }
    },
  };
}

function checkOptions(options: HttpEngineOptions): void {
  const { name, url, body, results, fields, headers } = options;
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `search engine "${name}": ${message}`);
  };
  if (typeof name !== "string" || name === "") refuse("expected a name");
  const parsed = URL.canParse(url) ? new URL(fillIn(url, { query: "q", top: 1 })) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) refuse("expected an http or https address in `url`");
  if (parsed!.username || parsed!.password) refuse("got a password in `url`; send it in `headers`");
  if (!`${url}${JSON.stringify(body ?? "")}`.includes("{query}"))
    refuse("expected {query} in `url` or `body`");
  if (typeof results !== "string") refuse("expected the path of the results in `results`");
  for (const part of ["id", "title", "snippet"] as const)
    if (!fields?.[part]) refuse(`expected the path of a result's ${part} in \`fields\``);
  try {
    new Headers(headers);
  } catch {
    refuse("got a header that cannot be sent");
  }
  for (const key of ["price", "timeoutMs", "retries", "firstDelayMs", "mostDelayMs", "maxBytes"] as const) {
    const value = options[key];
    const least = key === "timeoutMs" || key === "maxBytes" ? 1 : 0;
    if (value !== undefined && !(Number.isFinite(value) && value >= least))
      refuse(`expected ${key} of ${least} or more, got ${value}`);
  }
}

/** The hits of an answer. A result without an id or a title is left out; an answer without a list is a failure. */
function toHits(
  value: unknown,
  { results, fields }: HttpEngineOptions,
  failed: (message: string) => AttuneError,
): SearchHit[] {
  const list = at(value, results);
  // services leave the list out where nothing was found
  if (list === null) return [];
  if (!Array.isArray(list)) throw failed(`expected a list of results at "${results}" of the answer`);
  const part = (result: unknown, path: string) => {
    const found = at(result, path);
    return typeof found === "string" || typeof found === "number"
      ? String(found).slice(0, mostCharacters)
      : "";
  };
  return list.flatMap((result: unknown) => {
    const [id, title] = [part(result, fields.id), oneLine(part(result, fields.title))];
    if (!id || !title) return [];
    const text = fields.text === undefined ? "" : part(result, fields.text);
    return [
      { id: oneLine(id), title, snippet: oneLine(part(result, fields.snippet)), ...(text && { text }) },
    ];
  });
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

/** What stands at a path of names with dots between them; the value itself for an empty path. */
function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path === "" ? [] : path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** One pass, so that a query that says {top} is sent as it is. */
const fillIn = (template: string, { query, top }: { query: string; top: number }) =>
  template.replaceAll(/\{(query|top)\}/g, (_, name) => (name === "query" ? query : String(top)));

function fillDeep(value: unknown, values: { query: string; top: number }): unknown {
  if (value === "{top}") return values.top;
  if (typeof value === "string") return fillIn(value, values);
  if (Array.isArray(value)) return value.map((part) => fillDeep(part, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fillDeep(part, values)]));
}

/** Seconds of a Retry-After header in milliseconds; a date, or nothing, is left to the back-off. */
const retryAfterMs = (header: string | null) =>
  header !== null && /^\d+(?:\.\d+)?$/.test(header.trim()) ? Number(header) * 1000 : 0;
