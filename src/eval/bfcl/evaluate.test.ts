import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openAiChatModel } from "../../connect/chat/open-ai.ts";
import type { ChatModel, ChatRequest } from "../../spec/chat-model.ts";
import type { Embedder } from "../../spec/embedder.ts";
import { AttuneError } from "../../spec/error.ts";
import { memoryWorlds } from "./agentic/memory-worlds.ts";
import { replayedWeb } from "./agentic/web-record.ts";
import { webWorlds } from "./agentic/web-worlds.ts";
import { readCategories } from "./category-names.ts";
import { openData } from "./data.ts";
import { type BfclEvaluation, evaluateBfcl } from "./evaluate.ts";
import { leaderboardPrompt } from "./prompt/variation.ts";
import { joinWorlds, multiTurnWorlds, type World } from "./run/world.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const newFolder = () => mkdtempSync(join(tmpdir(), "attune-bfcl-"));

const convert = {
  name: "unit.convert",
  description: "Converts.",
  parameters: {
    type: "dict",
    required: ["value"],
    properties: {
      value: { type: "float", description: "What." },
      unit: { type: "string", description: "To what." },
    },
  },
};
const listFiles = {
  name: "ls",
  description: "Lists.",
  parameters: { type: "dict", properties: {}, required: [] },
};
const makeFolder = {
  name: "mkdir",
  description: "Makes.",
  parameters: {
    type: "dict",
    properties: { dir_name: { type: "string", description: "Name." } },
    required: ["dir_name"],
  },
};
const files = {
  GorillaFileSystem: { root: { workspace: { type: "directory", contents: {} } } },
};
const user = (content: string) => [{ role: "user", content }];
const convertAnswer = (...values: unknown[]) => [{ "unit.convert": { value: values, unit: ["km", ""] } }];

/** A data folder of a few items, with a number that JSON.stringify could not write. */
function writeData(changes: Record<string, unknown[]> = {}): string {
  const folder = newFolder();
  const rows: Record<string, unknown[]> = {
    "BFCL_v4_simple_python.json": [
      { id: "simple_python_0", question: [user("one mile")], function: [convert] },
      { id: "simple_python_1", question: [user("two miles")], function: [convert] },
    ],
    "possible_answer/BFCL_v4_simple_python.json": [
      { id: "simple_python_0", ground_truth: convertAnswer("ONE") },
      { id: "simple_python_1", ground_truth: convertAnswer(2.5) },
    ],
    "BFCL_v4_irrelevance.json": [{ id: "irrelevance_0", question: [user("a poem")], function: [convert] }],
    "BFCL_v4_multi_turn_miss_func.json": [
      {
        id: "multi_turn_miss_func_0",
        question: [user("make a folder a"), [], user("list")],
        initial_config: files,
        path: [],
        involved_classes: ["GorillaFileSystem"],
        missed_function: { "1": ["mkdir"] },
      },
    ],
    "possible_answer/BFCL_v4_multi_turn_miss_func.json": [
      { id: "multi_turn_miss_func_0", ground_truth: [[], ["mkdir(dir_name='a')"], ["ls()"]] },
    ],
    "multi_turn_func_doc/gorilla_file_system.json": [listFiles, makeFolder],
    ...changes,
  };
  for (const [name, each] of Object.entries(rows)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const text = each.map((row) => `${JSON.stringify(row)}\n`).join("");
    writeFileSync(join(folder, name), text.replaceAll('"ONE"', "1.0"));
  }
  return folder;
}

type Body = { messages: { role: string; content: string }[]; tools?: { function: { name: string } }[] };
type Said = string | [name: string, text: string][] | { status: number };

/** A server that speaks the protocol; `say` gives text, calls, or a status. */
async function serve(say: (body: Body, count: number) => Said) {
  const bodies: Body[] = [];
  const attend = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body;
    bodies.push(body);
    const said = say(body, bodies.length);
    const isStatus = typeof said === "object" && "status" in said;
    response.writeHead(isStatus ? said.status : 200, { "content-type": "application/json" });
    const message =
      typeof said === "string"
        ? { role: "assistant", content: said }
        : {
            role: "assistant",
            content: null,
            tool_calls: (isStatus ? [] : said).map(([name, text], index) => ({
              id: `call_${index}`,
              type: "function",
              function: { name, arguments: text },
            })),
          };
    const usage = { prompt_tokens: 10, completion_tokens: 2 };
    response.end(JSON.stringify(isStatus ? { error: { message: "no" } } : { choices: [{ message }], usage }));
  };
  const server = createServer((request, response) => void attend(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const model = openAiChatModel({ baseUrl, model: "m", patience: { retries: 1, firstDelayMs: 1 } });
  return { bodies, model };
}

const evaluate = (
  data: string,
  out: string,
  model: ChatModel | undefined,
  changes: Partial<BfclEvaluation> = {},
) =>
  evaluateBfcl({
    data: openData(data),
    model,
    modelName: "m-FC",
    mode: "native",
    variation: leaderboardPrompt,
    categories: readCategories(["all_scoring"]),
    worlds: multiTurnWorlds("m-FC"),
    out,
    concurrency: 4,
    request: { temperature: 0 },
    ...changes,
  });

const lastOf = ({ messages }: Body) => messages.at(-1)!;

/** Right about everything, natively. */
function goldCalls(body: Body): Said {
  const { role, content } = lastOf(body);
  const canMake = body.tools?.some((tool) => tool.function.name === "mkdir") ?? false;
  if (role === "tool") return "done";
  if (content === "one mile") return [["unit_convert", '{"value": 1.0}']];
  if (content === "two miles") return [["unit_convert", '{"value": 2.5, "unit": "KM"}']];
  if (content === "list") return [["ls", "{}"]];
  if (content.startsWith("I have updated")) return canMake ? [["mkdir", '{"dir_name": "a"}']] : "cannot";
  return "I cannot.";
}

const linesOf = (file: string) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("asked natively", () => {
  it("a model that is right about everything gets it all, and what is missing is said", async () => {
    const { model, bodies } = await serve(goldCalls);
    const out = newFolder();
    const report = await evaluate(writeData(), out, model, { price: { input: 1e6, output: 0 } });
    expect(report.categories.map(({ category, correct, total }) => [category, correct, total])).toEqual([
      ["simple_python", 2, 2],
      ["irrelevance", 1, 1],
      ["multi_turn_miss_func", 1, 1],
    ]);
    // simple is a third of a quarter of a tenth, irrelevance half of a tenth, one of four multi-turn categories.
    expect(report.sums.overall).toBeCloseTo(0.1 / 12 + 0.05 + 0.3 / 4, 12);
    expect(report.missing["live_simple"]).toBe("its questions are not in the data folder");
    expect(Object.keys(report.missing).length).toBe(19);
    expect(report.usage).toMatchObject({ inputTokens: 80, outputTokens: 16, cost: 80 });
    // the first three of a conversation: two tools less one, then both
    expect(
      bodies
        .filter(({ messages }) => messages[0]?.content === "make a folder a")
        .map(({ tools }) => tools?.length),
    ).toEqual([1, 2, 2, 2, 2]);
  });

  it("the leaderboard's files hold the calls as written, tokens and seconds", async () => {
    const { model } = await serve(goldCalls);
    const out = newFolder();
    await evaluate(writeData(), out, model);
    const simple = linesOf(join(out, "result/m-FC/non_live/BFCL_v4_simple_python_result.json"));
    expect(simple[0]).toMatchObject({
      id: "simple_python_0",
      result: [{ unit_convert: '{"value": 1.0}' }],
      input_token_count: 10,
      output_token_count: 2,
      latency: expect.any(Number),
    });
    const [turns] = linesOf(join(out, "result/m-FC/multi_turn/BFCL_v4_multi_turn_miss_func_result.json"));
    expect(turns).toMatchObject({
      result: [["I cannot."], [[{ mkdir: '{"dir_name": "a"}' }], "done"], [[{ ls: "{}" }], "done"]],
      input_token_count: [[10], [10, 10], [10, 10]],
    });
    expect(linesOf(join(out, "score/m-FC/non_live/BFCL_v4_simple_python_score.json"))).toEqual([
      { accuracy: 1, correct_count: 2, total_count: 2 },
    ]);
    expect(readFileSync(join(out, "score/m-FC/data_overall.csv"), "utf8")).toContain("13.33%,m-FC");
  });

  it("a model that answers nonsense is wrong by name", async () => {
    const nonsense: Said[] = [
      [["unit_convert", "{broken"]],
      [["unit_convert", `${"[".repeat(100_000)}`]],
      [["unit_convert", '{"value": "os.system(1)"}']],
      [["", '"text"']],
      `[${"(".repeat(100_000)}`,
      "",
    ];
    const { model } = await serve((_, count) => nonsense[count % nonsense.length]!);
    const report = await evaluate(writeData(), newFolder(), model, { concurrency: 1 });
    expect(report.sums.overall).toBeLessThan(0.2);
    const errors = report.categories.flatMap((category) => Object.keys(category.errors));
    expect(errors.every((name) => /^\w+:\w/.test(name))).toBe(true);
    expect(report.categories.reduce((sum, { total }) => sum + total, 0)).toBe(4);
  });

  it("a model that never stops calling is stopped after its twenty-first round", async () => {
    const { model, bodies } = await serve((body) =>
      body.tools?.some((tool) => tool.function.name === "ls") ? [["ls", "{}"]] : "no",
    );
    const report = await evaluate(writeData(), newFolder(), model, { categories: ["multi_turn_miss_func"] });
    expect(bodies.length).toBe(21);
    expect(report.categories[0]?.errors).toEqual({ "multi_turn:force_terminated": 1 });
  });
});

describe("asked in text", () => {
  const prompted = { mode: "prompt", modelName: "m" } as const;
  it("the system prompt comes before the model's own, and results come back as a list", async () => {
    const { model, bodies } = await serve((body) => {
      const { content } = lastOf(body);
      if (content === "one mile") return "[unit.convert(value=1.0)]";
      if (content === "two miles") return "```[unit.convert(value=2.5, unit='km')]```";
      if (content === "list") return "[ls()]";
      if (content.startsWith("[{'role'")) return "done";
      return content.includes("mkdir") ? "[mkdir(dir_name='a')]" : "I cannot.";
    });
    const report = await evaluate(writeData(), newFolder(), model, prompted);
    expect(report.categories.map(({ correct }) => correct)).toEqual([2, 1, 1]);
    const last = bodies.find(({ messages }) => messages.length === 8)!;
    expect(last.messages[0]?.content).toContain('"name": "ls"');
    expect(last.messages[0]?.content).not.toContain('"name": "mkdir"');
    expect(last.messages.slice(3, 6).map(({ content }) => content)).toEqual([
      "[{'name': 'mkdir', 'description': 'Makes.', 'parameters': {'type': 'dict', 'properties': {'dir_name': {'type': 'string', 'description': 'Name.'}}, 'required': ['dir_name']}}]\nI have updated some more functions you can choose from. What about now?",
      "[mkdir(dir_name='a')]",
      "[{'role': 'tool', 'name': \"mkdir(dir_name='a')\", 'content': 'None'}]",
    ]);
  });

  it("every prompt variation of the listed items is asked, judged in its format, and compared", async () => {
    const data = writeData();
    writeFileSync(
      join(data, "BFCL_v4_format_sensitivity.json"),
      JSON.stringify({ simple_python: ["simple_python_1"], multiple: [] }, null, 2),
    );
    const { model } = await serve((body) => {
      const system = body.messages[0]!.content;
      const tag = system.includes("<TOOLCALL>");
      const call = system.includes("```json")
        ? '[{"function": "unit.convert", "parameters": {"value": 2.5}}]'
        : "[unit.convert(value=2.5)]";
      return tag ? `<TOOLCALL>${call}</TOOLCALL>` : call;
    });
    const report = await evaluate(data, newFolder(), model, {
      ...prompted,
      categories: ["format_sensitivity"],
    });
    // 6 of Python, 6 of JSON, and 2 more; the XML ones are answered in Python.
    expect(report.categories[0]).toMatchObject({ correct: 14, total: 26 });
    expect(report.categories[0]?.sensitivity).toMatchObject({ largestDifference: 100 });
    const natively = await evaluate(data, newFolder(), model, { categories: ["format_sensitivity"] });
    expect(natively.categories).toEqual([]);
  });
});

describe("a second run", () => {
  it("asks nothing, and judges what is stored", async () => {
    const { model, bodies } = await serve(goldCalls);
    const [data, out] = [writeData(), newFolder()];
    const first = await evaluate(data, out, model);
    const asked = bodies.length;
    expect(await evaluate(data, out, model)).toEqual(first);
    expect(await evaluate(data, out, undefined)).toEqual(first);
    expect(bodies.length).toBe(asked);
    // what is stored counts, also when only a part is asked for
    const part = await evaluate(data, out, model, { categories: ["irrelevance"] });
    expect(part.sums).toEqual(first.sums);
  });

  it("names broken and foreign lines, sets them aside and asks their questions again", async () => {
    const { model, bodies } = await serve(goldCalls);
    const [data, out] = [writeData(), newFolder()];
    const file = join(out, "result/m-FC/non_live/BFCL_v4_simple_python_result.json");
    await evaluate(data, out, model, { limit: 1, categories: ["simple_python"] });
    const torn = readFileSync(file, "utf8").slice(0, 40);
    appendFileSync(
      file,
      `{"id": "simple_python_9", "result": []}\n[1]\n{"result": []}\n${"[".repeat(1e6)}\n${torn}`,
    );
    const asked = bodies.length;
    const report = await evaluate(data, out, model, { categories: ["simple_python"] });
    expect(bodies.length).toBe(asked + 1);
    expect(report.problems.map((problem) => problem.slice(file.length))).toEqual([
      ":2: id simple_python_9 is not among the questions",
      ":3: got a list, expected an object",
      ":4: no id",
      ":5: not JSON: maximum recursion depth exceeded",
      expect.stringMatching(/^:6: not JSON: /),
    ]);
    expect(report.categories[0]).toMatchObject({ correct: 2, total: 2 });
    expect(linesOf(file).map(({ id }) => id)).toEqual(["simple_python_0", "simple_python_1"]);
    expect(existsSync(`${file}.rejected`)).toBe(true);
  });

  it("is refused where the first asked otherwise", async () => {
    const { model } = await serve(goldCalls);
    const [data, out] = [writeData(), newFolder()];
    await evaluate(data, out, model);
    await expect(evaluate(data, out, model, { request: { temperature: 1 } })).rejects.toThrow(
      "these results were made with temperature 0, got 1",
    );
  });

  it("goes on where the first was stopped", async () => {
    const controller = new AbortController();
    const { model, bodies } = await serve((body, count) => {
      if (count === 2) controller.abort(new Error("stopped"));
      return goldCalls(body);
    });
    const [data, out] = [writeData(), newFolder()];
    await expect(evaluate(data, out, model, { concurrency: 1, signal: controller.signal })).rejects.toThrow(
      "stopped",
    );
    const report = await evaluate(data, out, model);
    expect(report.categories.map(({ correct }) => correct)).toEqual([2, 1, 1]);
    expect(bodies.filter((body) => lastOf(body).content === "one mile").length).toBe(1);
  });
});

describe("when a model cannot answer", () => {
  it("a server's failure is not the model's: the question stays open", async () => {
    const { model } = await serve((body) =>
      lastOf(body).content === "one mile" ? { status: 503 } : goldCalls(body),
    );
    const [data, out] = [writeData(), newFolder()];
    const report = await evaluate(data, out, model, { categories: ["simple_python"] });
    expect(report.categories[0]).toMatchObject({ correct: 1, total: 1, items: 2 });
    expect(report.unanswered).toEqual([{ id: "simple_python_0", error: expect.stringContaining("503: no") }]);
    expect(report.partial).toEqual(["simple_python"]);
    expect((await evaluate(data, out, (await serve(goldCalls)).model)).categories[0]?.total).toBe(2);
  });

  it("a request that it cannot take counts against it, and a refused key ends the run", async () => {
    const [data, out] = [writeData(), newFolder()];
    const { model } = await serve(() => ({ status: 400 }));
    const report = await evaluate(data, out, model);
    expect(report.categories.map(({ correct, total }) => [correct, total])).toEqual([
      [0, 2],
      [1, 1],
      [0, 1],
    ]);
    expect(report.categories[2]?.errors).toEqual({ "multi_turn:inference_error": 1 });
    const refused = await serve(() => ({ status: 401 }));
    await expect(evaluate(data, newFolder(), refused.model)).rejects.toMatchObject({ kind: "usage" });
  });

  it("a run ends when nothing answers any more", async () => {
    const questions = Array.from({ length: 30 }, (_, index) => ({
      id: `irrelevance_${index}`,
      question: [user("x")],
      function: [convert],
    }));
    const { model, bodies } = await serve(() => ({ status: 503 }));
    const data = writeData({ "BFCL_v4_irrelevance.json": questions });
    await expect(
      evaluate(data, newFolder(), model, { categories: ["irrelevance"], concurrency: 2 }),
    ).rejects.toThrow("10 times in a row");
    expect(bodies.length).toBeLessThan(26);
  });

  it("a bug is not taken for a wrong answer", async () => {
    const model: ChatModel = {
      name: "m",
      complete: async () => {
        throw new TypeError("oops");
      },
    };
    await expect(evaluate(writeData(), newFolder(), model)).rejects.toThrow("oops");
  });
});

/** The document of a tool that takes one text. */
const oneText = (name: string, parameter: string) => ({
  name,
  description: "Does it.",
  parameters: { type: "dict", properties: { [parameter]: { type: "string" } }, required: [parameter] },
});

describe("memory", () => {
  const memoryData = () =>
    writeData({
      "BFCL_v4_memory.json": ["a", "b"].map((what, index) => ({
        id: `memory_${index}-customer-${index}`,
        question: [user(`what is ${what}?`)],
        involved_classes: ["MemoryAPI"],
        scenario: "customer",
      })),
      "possible_answer/BFCL_v4_memory.json": ["a", "b"].map((what, index) => ({
        id: `memory_${index}-customer-${index}`,
        ground_truth: [`value ${what}`],
      })),
      "memory_prereq_conversation/memory_customer.json": ["a", "b"].map((what, index) => ({
        id: `memory_prereq_${index}-customer-${index}`,
        topic: "t",
        question: [user(`remember ${what}`)],
      })),
      ...Object.fromEntries(
        ["finance", "healthcare", "notetaker", "student"].map((name) => [
          `memory_prereq_conversation/memory_${name}.json`,
          [],
        ]),
      ),
      "multi_turn_func_doc/memory_kv.json": [oneText("keep", "what")],
      "multi_turn_func_doc/memory_vector.json": [
        oneText("archival_memory_add", "text"),
        oneText("archival_memory_retrieve", "query"),
      ],
    });

  /** A memory of one list. */
  const notes = (kept: readonly string[]): World => {
    const own = [...kept];
    return {
      run: (calls) => calls.map((call) => `kept ${own.push(/'(.*)'/.exec(call)?.[1] ?? "")}`),
      memoryText: () => own.join(";"),
      fork: () => notes(own),
    };
  };

  it("is filled by the conversations before, each of which sees what the last one kept, and is replayed later", async () => {
    const { model, bodies } = await serve((body) => {
      const { role, content } = lastOf(body);
      if (role === "tool") return "noted";
      const asked = /^remember (.)$/.exec(content)?.[1];
      if (asked !== undefined) return [["keep", JSON.stringify({ what: `value ${asked}` })]];
      return body.messages[0]!.content.includes("value a;value b") ? "{'answer': 'Value A, value b'}" : "no";
    });
    const worlds = joinWorlds([
      multiTurnWorlds("m"),
      { has: (category) => category === "memory_kv", open: () => notes([]) },
    ]);
    const [data, out] = [memoryData(), newFolder()];
    const options = { worlds, categories: readCategories(["memory"]) };
    const first = await evaluate(data, out, model, { ...options, limit: 1 });
    expect(first.categories).toMatchObject([{ category: "memory_kv", correct: 1, total: 1, items: 2 }]);
    expect(first.missing["memory_vector"]).toBe("there is no world for its calls");
    expect(bodies[0]?.messages[0]).toMatchObject({ role: "system" });
    expect(bodies[0]?.messages[0]?.content).toMatch(
      /^You are a general customer support assistant .*Core Memory/s,
    );
    expect(bodies[2]?.messages[0]?.content).toContain("previous interactions:\nvalue a\n");
    expect(bodies[4]?.messages[0]?.content).toMatch(/value a;value b\n\n\nFor your final answer to the user/);
    const before = linesOf(join(out, "result/m-FC/agentic/memory/kv/BFCL_v4_memory_kv_prereq_result.json"));
    expect(before.map(({ id }) => id)).toEqual([
      "memory_kv_prereq_0-customer-0",
      "memory_kv_prereq_1-customer-1",
    ]);

    const asked = bodies.length;
    const second = await evaluate(data, out, model, options);
    expect(bodies.length).toBe(asked + 1);
    expect(second.categories).toMatchObject([{ correct: 2, total: 2 }]);
  });

  it("of vectors is looked into by what texts mean, also after it was brought back from stored calls", async () => {
    const { model } = await serve((body) => {
      const { role, content } = lastOf(body);
      const kept = /^remember (.)$/.exec(content)?.[1];
      if (kept !== undefined) return [["archival_memory_add", JSON.stringify({ text: `value ${kept}` })]];
      const asked = /^what is (.)\?$/.exec(content)?.[1];
      if (asked !== undefined)
        return [["archival_memory_retrieve", JSON.stringify({ query: `value ${asked}` })]];
      const [first] = (JSON.parse(content) as { result?: { text: string }[] }).result ?? [];
      return role === "tool" && first ? `{'answer': '${first.text}', 'context': 'memory'}` : "noted";
    });
    const letters: Embedder = {
      name: "letters",
      embed: async (texts) =>
        texts.map((text) => Float32Array.from("abcdelmuv", (letter) => text.split(letter).length - 1)),
    };
    const options = {
      worlds: memoryWorlds("m", { embedder: letters }),
      worldsOf: { embedder: letters.name },
      categories: ["memory_vector"],
    };
    const [data, out] = [memoryData(), newFolder()];
    const first = await evaluate(data, out, model, { ...options, limit: 1 });
    expect(first.categories).toMatchObject([{ category: "memory_vector", correct: 1, total: 1 }]);
    const second = await evaluate(data, out, model, options);
    expect(second.categories).toMatchObject([{ category: "memory_vector", correct: 2, total: 2 }]);
    await expect(
      evaluate(data, out, model, { ...options, worldsOf: { embedder: "another" } }),
    ).rejects.toThrow('made with embedder "letters", got "another"');
    const without = await evaluate(data, newFolder(), model, { ...options, worlds: memoryWorlds("m") });
    expect(without.missing["memory_vector"]).toBe("its memory needs an embedder");
  });
});

it("web search is played on a record of the web and judged by the answer", async () => {
  const data = writeData({
    "BFCL_v4_web_search.json": [
      {
        id: "web_search_0",
        question: [user("Which tea is the dearest?")],
        involved_classes: ["WebSearchAPI"],
      },
    ],
    "possible_answer/BFCL_v4_web_search.json": [{ id: "web_search_0", ground_truth: ["Da Hong Pao"] }],
    "multi_turn_func_doc/web_search.json": [
      oneText("search_engine_query", "keywords"),
      oneText("fetch_url_content", "url"),
    ],
  });
  const { model, bodies } = await serve((body) => {
    const { role, content } = lastOf(body);
    if (role !== "tool") return [["search_engine_query", '{"keywords": "dearest tea"}']];
    if (!content.startsWith("[{")) return "{'answer': 'It is Da Hong Pao.', 'context': 'read'}";
    const link = /'href': '([^']+)'/.exec(content)![1];
    return [["fetch_url_content", JSON.stringify({ url: link, mode: "truncate" })]];
  });
  const file = join(newFolder(), "web.jsonl");
  const rows = [
    {
      keywords: "dearest tea",
      region: "wt-wt",
      answer: { hits: [{ title: "Tea", link: "https://tea.example/", snippet: "Dear." }] },
    },
    { url: "https://tea.example/", page: { html: "<p>Da Hong Pao</p>" } },
  ];
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const report = await evaluate(data, newFolder(), model, {
    worlds: webWorlds("m", { engine: replayedWeb({ file }) }),
    categories: ["web_search_base", "web_search_no_snippet"],
  });
  expect(report.categories).toMatchObject([
    { category: "web_search_base", correct: 1, total: 1 },
    { category: "web_search_no_snippet", correct: 1, total: 1 },
  ]);
  const results = bodies.flatMap(({ messages }) => messages.filter(({ role }) => role === "tool"));
  expect(results.map(({ content }) => content)).toContain('{"content": "Da Hong Pao"}');
});

it("a category that is none is refused with the names of all", () => {
  expect(readCategories(["live_simple", "multi_turn_base", "simple_python"])).toEqual([
    "simple_python",
    "live_simple",
    "multi_turn_base",
  ]);
  expect(readCategories(["all"]).length).toBe(23);
  expect(() => readCategories(["constructor"])).toThrow(/category: got "constructor", expected one of all, /);
});

it("asks with what the request says", async () => {
  const requests: ChatRequest[] = [];
  const model: ChatModel = {
    name: "m",
    async complete(request) {
      requests.push(request);
      if (requests.length > 1) throw new AttuneError("engine", "too long");
      return { message: { role: "assistant", content: "x" }, stopReason: "stop", usage: null };
    },
  };
  await evaluate(writeData(), newFolder(), model, {
    categories: ["simple_python"],
    request: { temperature: 0.5, maxTokens: 7, seed: 3 },
    concurrency: 1,
  });
  expect(requests[0]).toMatchObject({
    temperature: 0.5,
    maxTokens: 7,
    seed: 3,
    tools: [{ name: "unit_convert" }],
  });
});
