import { existsSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import { describe, expect, it } from "vitest";
import { createRandom, deriveSeed, type Random } from "../../kit/random.ts";
import type { Environment, Session, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { ToolError } from "../../spec/tool.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { createChromium } from "./chromium.ts";
import type { WebInput } from "./goal.ts";
import { kinds } from "./kinds.ts";
import { openMemoryBrowser } from "./memory-browser.ts";
import { createServer } from "./server.ts";
import { type Screenshot, web } from "./web.ts";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = places.find((place) => existsSync(place)) ?? "";
if (!executablePath) process.stderr.write(`no Chromium at ${places.join(", ")}: browsers are not compared\n`);

type Call = { name: string; arguments: JsonObject };

const { signal } = new AbortController();

function tasksOf(environment: Environment, count: number): Task[] {
  const tasks: Task[] = [];
  for (const task of environment.tasks({ split: "train", seed: 3 })) if (tasks.push(task) === count) break;
  return tasks;
}

async function run(session: Session, { name, arguments: given }: Call): Promise<string> {
  const tool = session.tools.find((tool) => tool.name === name)!;
  const checked = await tool.check(given);
  if (!checked.ok) return `error: ${checked.issues}`;
  try {
    return await tool.execute(checked.value, { signal });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return `error: ${error.message}`;
  }
}

/** Something that can be done on a page, or cannot: elements at random, places at random, keys at random. */
function drawCall(random: Random, page: string): Call {
  const elements = [...page.matchAll(/^ *\[(\d+)\] (\w+) "[^"]*"(.*)$/gm)].map(([, id, role, rest]) => ({
    element: Number(id),
    role: role!,
    rest: rest!,
  }));
  const chance = random.next();
  if (elements.length === 0 || chance < 0.05) return { name: "back", arguments: {} };
  if (chance < 0.1) return { name: "scroll", arguments: { direction: random.pick(["up", "down"]) } };
  if (chance < 0.4) {
    const key = random.pick(["Enter", "Tab", "Tab", "Shift+Tab", "Space", "ArrowUp", "ArrowDown"]);
    return { name: "press", arguments: { key } };
  }
  if (chance < 0.55) return { name: "click", arguments: { x: random.integer(960), y: random.integer(480) } };
  const { element, role, rest } = random.pick(elements);
  if (chance < 0.6) return { name: "type", arguments: { element, text: "a" } };
  if (role === "textbox" && chance < 0.9) {
    const text = random.pick(["two words", "<b>&amp;\"'", "", " é😀 ", "line\nbreak", "Ana"]);
    return { name: "type", arguments: { element, text } };
  }
  if (role === "date" && chance < 0.9) {
    const text = random.pick(["2027-02-28", "2027-02-30", "tomorrow", ""]);
    return { name: "type", arguments: { element, text } };
  }
  if (role === "combobox" && chance < 0.9) {
    const options = /of \((.*?)\)/.exec(rest)![1]!.split(" | ");
    return { name: "select", arguments: { element, option: random.pick([...options, "none of them"]) } };
  }
  return { name: "click", arguments: { element } };
}

describe.runIf(executablePath)("a page in memory and in Chromium", { timeout: 120_000 }, () => {
  const memory = web({ bounds: true });
  const real = web({ bounds: true, browser: { executablePath } });

  /** Makes the same calls on both and expects the same to be seen, up to the last pixel, and the same to be left. */
  async function compare(
    task: Task,
    calls: (page: string, turn: number) => Call | undefined,
  ): Promise<string> {
    const mine = await memory.start(task, { seed: 1, signal });
    const theirs = await real.start(task, { seed: 1, signal });
    try {
      let page = mine.messages[1]!.content;
      expect(page).toBe(theirs.messages[1]!.content);
      const done: Call[] = [];
      for (let call = calls(page, 0); call; call = calls(page, done.length)) {
        done.push(call);
        const seen = await run(mine, call);
        expect({ done, seen }).toEqual({ done, seen: await run(theirs, call) });
        expect({ done, left: await mine.outcome!() }).toEqual({ done, left: await theirs.outcome!() });
        if (!seen.startsWith("error: ")) page = seen;
      }
      return page;
    } finally {
      await mine.close!();
      await theirs.close!();
    }
  }

  it.each(Object.keys(kinds))("is the same to a careful player of %s", async (kind) => {
    const [task] = tasksOf(web({ kinds: [kind] }), 1);
    const player = memory.experts!["careful"]!(task!, { seed: 1 });
    const expected = await playMessages(memory, { task: task!, player, turns: 24 });
    expect(expected.rewards["correct"]).toBe(1);
    expect(await playMessages(real, { task: task!, player, turns: 24 })).toEqual(expected);
  });

  it.each([1, 2])("is the same whatever is done to it (%i)", async (seed) => {
    const random = createRandom(deriveSeed("browsers", seed));
    for (const task of tasksOf(memory, 10).slice(seed * 2, seed * 2 + 2))
      await compare(task, (page, turn) => (turn < 25 ? drawCall(random, page) : undefined));
  });

  it("passes the focus on in the same order, both ways and past the end", async () => {
    for (const kind of ["preferences", "create"]) {
      const [task] = tasksOf(web({ kinds: [kind] }), 1);
      const keys = [...Array<string>(30).fill("Tab"), ...Array<string>(35).fill("Shift+Tab")];
      await compare(task!, (_page, turn) =>
        keys[turn] ? { name: "press", arguments: { key: keys[turn] } } : undefined,
      );
    }
  });

  it("does the same with keys, labels and history", async () => {
    const [task] = tasksOf(web({ kinds: ["create"] }), 1);
    const at = (page: string, target: string) =>
      Number(new RegExp(`\\[(\\d+)\\] ${target}`).exec(page)?.[1] ?? "0");
    const script: ((page: string) => Call)[] = [
      (page) => ({ name: "click", arguments: { element: at(page, 'link "New issue"') } }),
      () => ({ name: "click", arguments: { x: 20, y: 60 } }), // the label of the title
      () => ({ name: "press", arguments: { key: "Space" } }),
      () => ({ name: "press", arguments: { key: "Enter" } }), // sends the form, which is refused
      (page) => ({ name: "type", arguments: { element: at(page, 'textbox "Notes"'), text: "one" } }),
      () => ({ name: "press", arguments: { key: "Enter" } }),
      () => ({ name: "press", arguments: { key: "Space" } }),
      () => ({ name: "press", arguments: { key: "Shift+Tab" } }),
      () => ({ name: "press", arguments: { key: "Space" } }), // means nothing in a date
      () => ({ name: "press", arguments: { key: "Shift+Tab" } }),
      () => ({ name: "press", arguments: { key: "ArrowDown" } }),
      () => ({ name: "press", arguments: { key: "ArrowUp" } }),
      () => ({ name: "press", arguments: { key: "ArrowUp" } }),
      (page) => ({ name: "click", arguments: { element: at(page, 'button "Save"') } }),
      (page) => ({ name: "click", arguments: { element: at(page, 'link "Issues"') } }),
      () => ({ name: "back", arguments: {} }),
      () => ({ name: "back", arguments: {} }),
      () => ({ name: "back", arguments: {} }),
      () => ({ name: "back", arguments: {} }),
      () => ({ name: "back", arguments: {} }),
    ];
    expect(await compare(task!, (page, turn) => script[turn]?.(page))).toContain('page "Issues" /issues\n');
  });

  it("keeps the same history of links, forms and what they lead to", async () => {
    const clicks = (element: number, times: number) =>
      Array.from({ length: times }, (): Call => ({ name: "click", arguments: { element } }));
    const back = Array.from({ length: 6 }, (): Call => ({ name: "back", arguments: {} }));
    const [trip] = tasksOf(web({ kinds: ["book"] }), 1);
    const [issues] = tasksOf(web({ kinds: ["lookup"] }), 1);
    for (const [task, calls] of [
      [trip!, [...clicks(1, 2), ...clicks(6, 3), ...clicks(2, 2), ...back]],
      [issues!, [...clicks(5, 2), ...clicks(27, 2), ...clicks(1, 2), ...back]],
    ] as const)
      await compare(task, (_page, turn) => calls[turn]);
  });

  it("keeps the same text of several lines through a form that is refused", async () => {
    const [task] = tasksOf(web({ kinds: ["create"] }), 1);
    for (const text of ["<b>&amp;\"'</b> &lt;", "\n\none\n two ", "</textarea><p>out"]) {
      const calls: Call[] = [
        { name: "click", arguments: { element: 2 } },
        { name: "type", arguments: { element: 8, text } },
        { name: "click", arguments: { element: 9 } },
        { name: "click", arguments: { element: 9 } },
      ];
      const page = await compare(task!, (_page, turn) => calls[turn]);
      expect(page).toContain(`textbox "Notes" value ${JSON.stringify(text.trim())}`);
    }
  });

  it("has the controls that Chromium itself tells assistive technology of", async () => {
    const roles: Record<string, string> = { Date: "date", DisclosureTriangle: "disclosure" };
    const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox"] });
    try {
      const tab = await browser.newPage();
      const protocol = await tab.context().newCDPSession(tab);
      for (const kind of ["preferences", "profile", "lookup", "create", "move", "book"]) {
        const [task] = tasksOf(web({ kinds: [kind] }), 1);
        const { site, data, path } = task!.input as WebInput;
        const urls = [path, ...(kind === "move" ? ["/mail/201", "/compose"] : [])];
        if (kind === "lookup") urls.push("/issues/101?delete=1", "/issues/new");
        for (const url of urls) {
          const server = createServer({ site, data });
          const { nodes } = await (await openMemoryBrowser({ server, url })).read();
          const reply = server.request({ method: "GET", url });
          await tab.setContent("document" in reply ? reply.document : "");
          const { nodes: tree } = await protocol.send("Accessibility.getFullAXTree");
          const told = tree.flatMap(({ ignored, role, name }) => {
            const spoken = roles[String(role?.value)] ?? String(role?.value);
            const isControl =
              /^(?:link|button|textbox|combobox|checkbox|radio|date|disclosure|heading|dialog|radiogroup)$/.test(
                spoken,
              );
            return !ignored && isControl && name?.value !== "Show date picker Show date picker"
              ? [`${spoken} ${name?.value}`]
              : [];
          });
          const shown = nodes
            .filter(({ id, role }) => id !== undefined || /^(?:heading|dialog|radiogroup)$/.test(role))
            .map(({ role, name }) => `${role} ${name}`);
          // the tree lists its nodes level by level
          expect({ url, controls: told.sort() }).toEqual({ url, controls: shown.sort() });
        }
      }
    } finally {
      await browser.close();
    }
  });

  it("reaches nothing but its site", async () => {
    let reached = 0;
    const outside = createHttpServer((_request, response) => {
      reached++;
      response.end("outside");
    });
    await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
    const there = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/`;
    const document = `<!doctype html><title>t</title><link rel="stylesheet" href="${there}"><img src="${there}"><iframe src="${there}"></iframe><script>fetch("${there}")</script><a href="${there}">away</a>`;
    const server = { data: null, request: () => ({ document }) };
    const tab = await createChromium({ executablePath }).open({ server, url: "/" });
    try {
      expect((await tab.read()).nodes.map(({ name }) => name)).toEqual(["away"]);
      await tab.perform({ do: "click", id: 1, leads: true });
      expect(reached).toBe(0);
    } finally {
      await tab.close();
      outside.close();
    }
  });

  it("gives a picture of every look, of the size of the view", async () => {
    const taken: Screenshot[] = [];
    const painted = web({
      browser: { executablePath, onScreenshot: (screenshot) => void taken.push(screenshot) },
    });
    const [task] = tasksOf(web({ kinds: ["read"] }), 1);
    const player = painted.experts!["careful"]!(task!, { seed: 1 });
    const { calls } = await playMessages(painted, { task: task!, player });
    expect(taken.map(({ look }) => look)).toEqual([...calls.map((_, index) => index), calls.length]);
    for (const { png } of taken) {
      const header = Buffer.from(png).subarray(0, 24);
      expect(header.toString("latin1")).toContain("PNG");
      expect([header.readUInt32BE(16), header.readUInt32BE(20)]).toEqual([960, 480]);
    }
  });

  it("says what it lacks when there is no browser to start", async () => {
    const [task] = tasksOf(memory, 1);
    const broken = web({ browser: { executablePath: "/nowhere/chromium" } });
    await expect(broken.start(task!, { seed: 1, signal })).rejects.toThrow(
      /environment "web": \/nowhere\/chromium does not start: /,
    );
  });
});
