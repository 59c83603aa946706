import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { scripted } from "../../environment/script.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { type HttpEngineOptions, httpEngine } from "./http-engine.ts";
import { recordedEngine, replayedEngine } from "./record.ts";
import { search } from "./search.ts";
import type { SearchEngine } from "./search-engine.ts";

type Asked = { url: string; method: string; headers: IncomingMessage["headers"]; body: string };
type Answer = (request: Asked, response: ServerResponse, count: number) => void;

const asked: Asked[] = [];
let answer: Answer;
let base: string;
const folder = mkdtempSync(join(tmpdir(), "search-engines-"));
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part: Buffer) => (body += part.toString()));
  request.on("end", () => {
    const { url = "", method = "", headers } = request;
    asked.push({ url, method, headers, body });
    answer(asked.at(-1)!, response, asked.length);
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const sendJson = (response: ServerResponse, value: unknown, status = 200, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
const results = [
  { url: "https://a.example", name: "A  page", about: { short: "about\n A" }, content: "all of A" },
  { url: "https://b.example", name: "B page", about: { short: "about B" } },
  { name: "no address" },
];
const good: Answer = (_, response) => sendJson(response, { web: { results } });

const options = (): HttpEngineOptions => ({
  name: "example-1",
  url: `${base}/search?q={query}&count={top}`,
  headers: { "x-key": "secret-key" },
  results: "web.results",
  fields: { id: "url", title: "name", snippet: "about.short", text: "content" },
  price: 0.005,
  firstDelayMs: 1,
});
const { signal } = new AbortController();
const ask = (engine: SearchEngine, query = "who & what", top = 5) =>
  Promise.resolve(engine.search(query, { signal, top }));

async function failureOf(work: Promise<unknown>): Promise<AttuneError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AttuneError);
  return error as AttuneError;
}

describe("a live engine", () => {
  it("asks as its template says, and reads hits where its paths say", async () => {
    answer = good;
    expect(await ask(httpEngine(options()))).toEqual({
      hits: [
        { id: "https://a.example", title: "A page", snippet: "about A", text: "all of A" },
        { id: "https://b.example", title: "B page", snippet: "about B" },
      ],
      cost: 0.005,
      latencyMs: expect.any(Number),
    });
    expect(asked).toMatchObject([
      { method: "GET", url: "/search?q=who%20%26%20what&count=5", headers: { "x-key": "secret-key" } },
    ]);
    expect((await ask(httpEngine(options()), "x", 1)).hits.length).toBe(1);
  });

  it("posts a body, in which a query stays a query", async () => {
    answer = good;
    const body = { search: { text: "{query}", most: "{top}", tags: ["q={query}"] } };
    await ask(httpEngine({ ...options(), url: `${base}/v2`, body }), 'say "{top}"', 3);
    expect(asked[0]!.method).toBe("POST");
    expect(JSON.parse(asked[0]!.body)).toEqual({
      search: { text: 'say "{top}"', most: 3, tags: ['q=say "{top}"'] },
    });
  });

  it("tries again after 429, 503 and a broken connection, and pays for what was not refused", async () => {
    answer = (_, response, count) => {
      if (count === 1) sendJson(response, {}, 429, { "retry-after": "0.05" });
      else if (count === 2) sendJson(response, {}, 503);
      else if (count === 3) response.destroy();
      else good(asked[0]!, response, count);
    };
    const since = performance.now();
    const { hits, cost } = await ask(httpEngine(options()));
    expect(performance.now() - since).toBeGreaterThan(45);
    expect([hits.length, asked.length]).toEqual([2, 4]);
    expect(cost).toBeCloseTo(3 * 0.005, 9);
  });

  it.each<[string, Answer, Partial<HttpEngineOptions>, RegExp, number]>([
    ["refused", (_, response) => sendJson(response, {}, 401), {}, /status 401$/, 1],
    ["refused too often", (_, response) => sendJson(response, {}, 429), {}, /429, after 3 requests/, 3],
    [
      "asked to wait too long",
      (_, response) => sendJson(response, {}, 429, { "retry-after": "3600" }),
      {},
      /asks to wait 3600000 ms/,
      1,
    ],
    ["too slow", () => {}, { timeoutMs: 40, retries: 0 }, /no answer within 40 ms/, 1],
    [
      "too long",
      (_, response) => response.writeHead(200).end("x".repeat(5000)),
      { maxBytes: 1000, retries: 0 },
      /more than 1000 bytes/,
      1,
    ],
    ["not JSON", (_, response) => response.writeHead(200).end("<html>"), { retries: 0 }, /expected JSON/, 1],
    ["no list", (_, response) => sendJson(response, { web: {} }), {}, /list of results at "web.results"/, 1],
    [
      "sent elsewhere",
      (_, response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end(),
      { retries: 0 },
      /redirect/,
      1,
    ],
  ])("fails as the world, without its key: %s", async (_, how, more, message, requests) => {
    answer = how;
    const error = await failureOf(ask(httpEngine({ ...options(), retries: 2, ...more })));
    expect([error.kind, error.message]).toEqual(["environment", expect.stringMatching(message)]);
    expect(error.message).not.toMatch(/secret|\n/);
    expect(asked.length).toBe(requests);
  });

  it("stops at once when it is told to, also while it waits", async () => {
    answer = (_, response) => sendJson(response, {}, 429, { "retry-after": "10" });
    const stop = new AbortController();
    const searching = httpEngine(options()).search("x", { signal: stop.signal, top: 1 });
    setTimeout(() => stop.abort(new Error("enough")), 60);
    const since = performance.now();
    await expect(searching).rejects.toThrow();
    expect(performance.now() - since).toBeLessThan(2000);
  });

  it.each<[string, Partial<HttpEngineOptions>, string]>([
    ["no address", { url: "search?q={query}" }, "expected an http or https address"],
    ["a file", { url: "file:///{query}" }, "expected an http or https address"],
    ["a password", { url: "http://me:secret@127.0.0.1/{query}" }, "send it in `headers`"],
    ["no query", { url: "http://127.0.0.1/" }, "expected {query} in `url` or `body`"],
    ["no title", { fields: { id: "a", title: "", snippet: "b" } }, "a result's title"],
    ["a negative price", { price: -1 }, "expected price of 0 or more, got -1"],
    ["no time", { timeoutMs: 0 }, "expected timeoutMs of 1 or more, got 0"],
    ["a bad header", { headers: { "x y": "z" } }, "header that cannot be sent"],
  ])("is refused with %s", (_, more, message) => {
    expect(() => httpEngine({ ...options(), ...more })).toThrow(message);
  });
});

describe("a record", () => {
  it("asks once, and is played again without a network to the letter", async () => {
    answer = good;
    const path = join(folder, "new/record.jsonl");
    const recorded = recordedEngine(httpEngine(options()), { path });
    const [one, other] = await Promise.all([ask(recorded), ask(recorded, " who & what ")]);
    expect(other).toEqual(one);
    expect(await ask(recorded)).toEqual(one);
    expect(asked.length).toBe(1);
    await ask(recorded, "another");
    expect(readFileSync(path, "utf8")).not.toContain("secret");

    answer = () => expect.unreachable("replay needs no network");
    const replayed = replayedEngine({ path });
    expect(replayed.name).toBe("example-1");
    expect(await ask(replayed)).toEqual(one);
    expect(await ask(recordedEngine(httpEngine(options()), { path }))).toEqual(one);
    for (const [query, top] of [
      ["never asked", 5],
      ["who & what", 4],
    ] as const) {
      const error = await failureOf((async () => ask(replayed, query, top))());
      expect([error.kind, error.message]).toEqual([
        "environment",
        expect.stringContaining(`no record of "${query}" (top ${top}) by "example-1" in ${path}`),
      ]);
    }
  });

  it("keeps no failure, and lets the next one ask", async () => {
    answer = (request, response, count) =>
      count === 1 ? sendJson(response, {}, 400) : good(request, response, count);
    const recorded = recordedEngine(httpEngine(options()), { path: join(folder, "failed.jsonl") });
    const [one, other] = await Promise.allSettled([ask(recorded), ask(recorded)]);
    expect([one.status, other.status, asked.length]).toEqual(["rejected", "fulfilled", 2]);
  });

  it("keeps documents that an engine opens itself, and what it adds to its hits stays out", async () => {
    const path = join(folder, "opened.jsonl");
    const opened: string[] = [];
    const own: SearchEngine = {
      name: "own",
      search: () => ({ hits: [{ id: "1", title: "One", snippet: "s", rank: 9 } as never] }),
      open(id) {
        opened.push(id);
        return id === "1" ? { title: "One", text: "whole" } : undefined;
      },
    };
    const recorded = recordedEngine(own, { path });
    expect((await ask(recorded)).hits).toEqual([{ id: "1", title: "One", snippet: "s" }]);
    const open = async (engine: SearchEngine, id: string) => engine.open!(id, { signal });
    for (const make of [() => recorded, () => recorded, () => replayedEngine({ path })]) {
      expect(await open(make(), "1")).toEqual({ title: "One", text: "whole" });
      expect(await open(make(), "2")).toBeUndefined();
    }
    expect(opened).toEqual(["1", "2"]);
    await expect(open(replayedEngine({ path }), "3")).rejects.toThrow('no record of document "3" by "own"');
    const broken = recordedEngine({ name: "broken", search: () => ({ hits: "none" as never }) }, { path });
    expect((await failureOf(ask(broken))).message).toContain('search engine "broken": got an answer that is');
  });

  it("loses at most a torn last line, and goes on after it", async () => {
    answer = good;
    const path = join(folder, "torn.jsonl");
    await ask(recordedEngine(httpEngine(options()), { path }), "first");
    const whole = readFileSync(path, "utf8");
    appendFileSync(path, whole.slice(0, 40));
    await expect((async () => ask(replayedEngine({ path }), "first"))()).resolves.toBeDefined();
    await ask(recordedEngine(httpEngine(options()), { path }), "second");
    expect(readFileSync(path, "utf8").startsWith(whole)).toBe(true);
    await expect((async () => ask(replayedEngine({ path }), "second"))()).resolves.toBeDefined();
  });

  it("is refused by line where it is no record, and by name where it has another engine", () => {
    const path = join(folder, "bad.jsonl");
    const row = { engine: "a", query: "q", top: 1, opens: false, hits: [], cost: 0, latencyMs: null };
    const write = (...rows: unknown[]) =>
      writeFileSync(path, rows.map((value) => `${JSON.stringify(value)}\n`).join(""));
    write(row, { ...row, cost: "free" });
    expect(() => replayedEngine({ path })).toThrow(/bad\.jsonl:2: not a recorded search$/);
    write(row, { ...row, engine: "b" });
    expect(() => replayedEngine({ path })).toThrow('records of "a", "b", expected `engine` to name one');
    expect(() => replayedEngine({ path, engine: "c" })).toThrow('expected "c"');
    expect(replayedEngine({ path, engine: "b" }).name).toBe("b");
    expect(() => replayedEngine({ path: join(folder, "none.jsonl") })).toThrow("there is no record");
  });
});

describe("an environment over a live engine", () => {
  const corpus = join(folder, "questions.jsonl");
  const environmentOver = (engine: SearchEngine) => {
    writeFileSync(
      corpus,
      `${JSON.stringify({ question: "What is A all of?", answers: ["A"], split: "train" })}\n`,
    );
    return search({ corpus, engine });
  };
  const playOn = (engine: SearchEngine) => {
    const environment = environmentOver(engine);
    const [task] = environment.tasks({ split: "train", seed: 1 });
    const moves: { name: string; arguments: JsonObject }[] = [
      { name: "search", arguments: { query: "A" } },
      { name: "open", arguments: { id: "https://a.example" } },
      { name: "open", arguments: { id: "http://169.254.169.254/" } },
      { name: "answer", arguments: { answer: "a: A", sources: ["https://a.example"] } },
    ];
    const player = scripted((seen) =>
      moves[seen.length] ? { thought: "go on", call: moves[seen.length]! } : { answer: "done" },
    );
    return playMessages(environment, { task: task!, player });
  };

  it("opens what the engine sent and no address, counts cost and latency, and replays the same episode", async () => {
    answer = good;
    const path = join(folder, "episode.jsonl");
    const live = await playOn(recordedEngine(httpEngine(options()), { path }));
    expect(live.calls.map(({ observation }) => observation)).toEqual([
      "[https://a.example] A page: about A\n[https://b.example] B page: about B",
      "A page\nall of A",
      expect.stringMatching(/^error: no document "http:\/\/169/),
      "committed",
    ]);
    expect(live.rewards).toMatchObject({ searches: 1, cost: 0.005, citedSeen: 1 });
    expect(live.rewards["latencyMs"]).toBeGreaterThanOrEqual(0);
    expect(asked.length).toBe(1);
    expect(await playOn(replayedEngine({ path }))).toEqual(live);
  });

  it("breaks an episode that the engine fails, and grades nothing", async () => {
    answer = (_, response) => sendJson(response, {}, 500);
    await expect(playOn(httpEngine({ ...options(), retries: 1 }))).rejects.toThrow(
      'search engine "example-1": answered with status 500, after 2 requests',
    );
  });
});
