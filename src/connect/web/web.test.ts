import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { openPublicPage } from "./public-page.ts";
import { serpApi } from "./serp-api.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a page that a model named", () => {
  const site: RequestListener = ({ url }, response) => {
    if (url === "/packed")
      response
        .writeHead(200, { "content-encoding": "gzip", "content-type": "text/html; charset=latin1" })
        .end(gzipSync(Buffer.from("<p>caf\xe9</p>", "latin1")));
    else if (url === "/bomb")
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(1e6)));
    else if (url === "/moved") response.writeHead(302, { location: "/packed" }).end();
    else if (url === "/round") response.writeHead(302, { location: "/round" }).end();
    else if (url === "/broken") response.writeHead(200, { "content-encoding": "gzip" }).end("not packed");
    else if (url === "/slow") response.write("<p>");
    else response.writeHead(404).end("no");
  };

  it("is unpacked, decoded and followed to where it went", async () => {
    const base = await serve(site);
    expect(await openPublicPage(`${base}/moved`, { allowPrivate: true })).toEqual({ html: "<p>café</p>" });
  });

  it("that cannot be read says why, as an error of the page", async () => {
    const base = await serve(site);
    const errorOf = async (path: string) =>
      (await openPublicPage(`${base}${path}`, { allowPrivate: true, maxBytes: 1000, timeoutMs: 300 })) as {
        error: string;
      };
    expect(await errorOf("/none")).toEqual({ error: `404 Client Error: Not Found for url: ${base}/none` });
    expect(await errorOf("/bomb")).toEqual({ error: "the page is longer than 1000 bytes" });
    expect(await errorOf("/round")).toEqual({ error: "Exceeded 10 redirects." });
    expect((await errorOf("/broken")).error).toContain("incorrect header check");
    expect(await errorOf("/slow")).toEqual({ error: "Read timed out. (read timeout=0.3)" });
  });

  it.each([
    "http://127.0.0.1:1/",
    "http://2130706433/",
    "http://localhost:1/",
    "http://[::1]:1/",
    "http://[::ffff:10.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://192.168.1.1/",
    "http://0.0.0.0/",
  ])("is not read from this machine or its network: %s", async (url) => {
    const { error } = (await openPublicPage(url)) as { error: string };
    expect(error).toContain("is an address of this machine or of a private network");
  });

  it("may not be a file", async () => {
    expect(await openPublicPage("file:///etc/passwd")).toEqual({
      error: "No connection adapters were found for 'file:///etc/passwd'",
    });
  });

  it("stops with the caller", async () => {
    const base = await serve(site);
    const signal = AbortSignal.timeout(50);
    await expect(openPublicPage(`${base}/slow`, { allowPrivate: true, signal })).rejects.toThrow("timeout");
  });
});

describe("the live search", () => {
  const quick = { retries: 1, firstDelayMs: 1, mostDelayMs: 1, budgetMs: 1000 };
  const tea = { keywords: "dearest tea", region: "us-en" };

  it("asks as the leaderboard does, and again where it was refused for a while", async () => {
    const asked: string[] = [];
    const base = await serve(({ url = "" }, response) => {
      asked.push(url);
      if (asked.length === 1) response.writeHead(429).end("{}");
      else
        response.end(
          JSON.stringify({
            organic_results: [{ position: 1, title: "Tea", link: "https://a", snippet: "s" }],
          }),
        );
    });
    const engine = serpApi({ key: "k", baseUrl: base, patience: quick });
    expect(await engine.search(tea, {})).toEqual({
      hits: [{ title: "Tea", link: "https://a", snippet: "s" }],
    });
    expect(asked).toEqual(
      Array.from({ length: 2 }, () => "/search.json?engine=duckduckgo&q=dearest+tea&kl=us-en&api_key=k"),
    );
  });

  it.each([
    [200, { error: "DuckDuckGo hasn't returned any results for this query." }, "answer"],
    [401, { error: "Invalid API key." }, "SerpApi: 401: Invalid API key."],
    [500, {}, "SerpApi: 500"],
    [200, { error: "Error 429: slow down" }, "SerpApi: 200: Error 429: slow down"],
    [200, { organic_results: [{ title: 3 }] }, "expected organic_results of {title, link, snippet}"],
  ])("%i %j", async (status, body, expected) => {
    const base = await serve((_, response) => response.writeHead(status).end(JSON.stringify(body)));
    const answer = serpApi({ key: "k", baseUrl: base, patience: quick }).search(tea, {});
    if (expected === "answer")
      expect(await answer).toEqual({
        error: "Failed to retrieve the search results from server. Please try again later.",
      });
    else await expect(answer).rejects.toThrow(expected);
  });
});
