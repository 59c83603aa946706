import { appendFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WebEngine } from "../../../spec/web.ts";
import type { Question } from "../run/question.ts";
import { recordedWeb, replayedWeb } from "./web-record.ts";
import { webWorlds } from "./web-worlds.ts";

const page = `<!doctype html><html><head><title>Tea</title><style>p { color: red }</style></head>
<body><h1>Da Hong Pao</h1><script>track()</script><p>The <b>dearest</b> tea
is from <a href="/fujian">Fujian</a>.</p><ul><li>one</li><li>two</li></ul></body></html>`;

/** A small web that counts how often it is asked. */
function smallWeb(): WebEngine & { asked: string[] } {
  const asked: string[] = [];
  return {
    name: "small",
    asked,
    async search({ keywords, region }) {
      asked.push(`search ${keywords} ${region}`);
      if (keywords === "nothing")
        return {
          error: "Failed to retrieve the search results from server. Please try again later.",
        };
      return {
        hits: [
          { title: "Tea", link: "https://tea.example/", snippet: "The dearest tea of the world." },
          { title: "Coffee", link: "https://coffee.example/", snippet: "Not tea." },
          { title: "Bare", link: "https://bare.example/" },
        ],
      };
    },
    async open(url) {
      asked.push(`open ${url}`);
      return url === "https://tea.example/"
        ? { html: page }
        : { error: `404 Client Error: Not Found for url: ${url}` };
    },
  };
}

const question = (category = "web_search_base") => ({ id: `${category}_0`, category }) as Question;
const open = async (engine: WebEngine, category?: string) =>
  webWorlds("a/model", { engine }).open(question(category));

describe("the web search tools", () => {
  it("print what the original prints", async () => {
    const world = await open(smallWeb());
    expect(
      await world.run([
        "search_engine_query('tea', 2)",
        "search_engine_query(keywords='tea', max_results=1, region='us-en')",
        "search_engine_query('tea')",
        "search_engine_query('nothing')",
        "fetch_url_content('https://tea.example/', mode='truncate')",
        "fetch_url_content('https://tea.example/', 'pdf')",
        "fetch_url_content('https://gone.example/')",
        "fetch_url_content('ftp://tea.example/')",
        "fetch_url_content(5)",
        "search_engine_query()",
      ]),
    ).toEqual([
      "[{'title': 'Tea', 'href': 'https://tea.example/', 'body': 'The dearest tea of the world.'}, {'title': 'Coffee', 'href': 'https://coffee.example/', 'body': 'Not tea.'}]",
      "[{'title': 'Tea', 'href': 'https://tea.example/', 'body': 'The dearest tea of the world.'}]",
      "Error during execution: 'snippet'",
      '{"error": "Failed to retrieve the search results from server. Please try again later."}',
      '{"content": "Tea\\nDa Hong Pao\\nThe\\ndearest\\ntea\\nis from\\nFujian\\n.\\none\\ntwo"}',
      '{"error": "An error occurred while fetching https://tea.example/: Unsupported mode: pdf"}',
      '{"error": "An error occurred while fetching https://gone.example/: 404 Client Error: Not Found for url: https://gone.example/"}',
      "Error during execution: Invalid URL: ftp://tea.example/",
      "Error during execution: 'int' object has no attribute 'startswith'",
      "Error during execution: WebSearchAPI.search_engine_query() missing 1 required positional argument: 'keywords'",
    ]);
  });

  it("leave the text of hits out where the category has none", async () => {
    const world = await open(smallWeb(), "web_search_no_snippet");
    expect(await world.run(["search_engine_query('tea', 1)", "search_engine_query('tea', -2)"])).toEqual([
      "[{'title': 'Tea', 'href': 'https://tea.example/'}]",
      "[{'title': 'Tea', 'href': 'https://tea.example/'}]",
    ]);
  });

  it("give a page as Markdown", async () => {
    const [text = ""] = await (await open(smallWeb())).run([
      "fetch_url_content('https://tea.example/', 'markdown')",
    ]);
    expect(JSON.parse(text)).toEqual({
      content: "# Da Hong Pao\n\nThe **dearest** tea is from [Fujian](/fujian).\n\n*   one\n*   two",
    });
  });

  it("ask for the same once in a conversation, and stop when they are told to", async () => {
    const web = smallWeb();
    const world = await open(web);
    await world.run(["search_engine_query('tea', 1)", "search_engine_query('tea', 2)"]);
    expect(web.asked).toEqual(["search tea wt-wt"]);
    await expect(
      world.run(["search_engine_query('b')"], AbortSignal.abort(new Error("stop"))),
    ).rejects.toThrow("stop");
  });

  it("need an engine, and say so", () => {
    const worlds = webWorlds("m", {});
    expect(worlds.has("web_search_base")).toBe(false);
    expect(worlds.whyNot!("web_search_base")).toBe("its tools need a search engine");
  });
});

describe("a record of the web", () => {
  const newRecord = () => join(mkdtempSync(join(tmpdir(), "attune-web-")), "web.jsonl");

  it("gives again what was asked, without asking", async () => {
    const file = newRecord();
    const first = smallWeb();
    const calls = ["search_engine_query('tea', 1)", "fetch_url_content('https://tea.example/')"];
    const seen = await (await open(recordedWeb(first, { file }))).run(calls);
    const again = smallWeb();
    appendFileSync(file, '{"url": "https://torn');
    expect(await (await open(recordedWeb(again, { file }))).run(calls)).toEqual(seen);
    expect([first.asked.length, again.asked.length]).toEqual([2, 0]);
    expect(await (await open(replayedWeb({ file }))).run(calls)).toEqual(seen);
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3);
  });

  it("asks once, however many ask at the same time", async () => {
    const web = smallWeb();
    const engine = recordedWeb(web, { file: newRecord() });
    await Promise.all(
      Array.from({ length: 5 }, () => engine.search({ keywords: "tea", region: "wt-wt" }, {})),
    );
    expect(web.asked).toHaveLength(1);
  });

  it("asks for itself where whoever asked first was stopped", async () => {
    const web = smallWeb();
    const stop = new AbortController();
    const hanging: WebEngine = {
      ...web,
      search: (query, { signal }) =>
        signal
          ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
          : web.search(query, {}),
    };
    const engine = recordedWeb(hanging, { file: newRecord() });
    const tea = { keywords: "tea", region: "wt-wt" };
    const first = engine.search(tea, { signal: stop.signal });
    const second = engine.search(tea, {});
    stop.abort(new Error("stopped"));
    await expect(first).rejects.toThrow("stopped");
    expect(await second).toMatchObject({ hits: [{ title: "Tea" }, {}, {}] });
  });

  it("that cannot be written is said in one line", async () => {
    const file = newRecord();
    appendFileSync(file, "");
    const engine = recordedWeb(smallWeb(), { file: join(file, "web.jsonl") });
    await expect(engine.open("https://tea.example/", {})).rejects.toThrow(/^cannot record to .*: E[A-Z]+/);
  });

  it("answers a search that nobody made from all hits that it holds, and no page that nobody read", async () => {
    const file = newRecord();
    await recordedWeb(smallWeb(), { file }).search({ keywords: "tea", region: "wt-wt" }, {});
    const replayed = replayedWeb({ file });
    expect(await replayed.search({ keywords: "dearest of all", region: "wt-wt" }, {})).toEqual({
      hits: [{ title: "Tea", link: "https://tea.example/", snippet: "The dearest tea of the world." }],
    });
    expect(await replayed.search({ keywords: "volcano", region: "wt-wt" }, {})).toEqual({ hits: [] });
    expect(await replayed.open("https://tea.example/", {})).toEqual({
      error: "404 Client Error: Not Found for url: https://tea.example/",
    });
  });

  it("is refused with its line where it is none", () => {
    const file = newRecord();
    appendFileSync(file, '{"url": "a", "page": {"html": ""}}\n{"keywords": 3}\n');
    expect(() => replayedWeb({ file })).toThrow(
      "web.jsonl:2: expected {keywords, region, answer} or {url, page}",
    );
    expect(() => replayedWeb({ file: `${file}.no` })).toThrow("there is no record");
  });
});
