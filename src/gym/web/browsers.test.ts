import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createRandom, deriveSeed, type Random } from "../../kit/random.ts";
import type { Environment, Session, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { ToolError } from "../../spec/tool.ts";
import { playMessages } from "../../testing/play-messages.ts";
import type { WebInput } from "./goal.ts";
import { web } from "./web.ts";

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
  if (chance < 0.55)
    return { name: "click", arguments: { x: random.integer(9600) / 10, y: random.integer(4800) / 10 } };
  const { element, role, rest } = random.pick(elements);
  if (chance < 0.6) return { name: "type", arguments: { element, text: "a" } };
  if (role === "textbox" && chance < 0.9) {
    const text = random.pick([
      "two words",
      "<b>&amp;\"'",
      "",
      " é😀 ",
      "line\nbreak",
      "Ana",
      "a\u0000b",
      "\ud800",
    ]);
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
  const real = web({ bounds: true, browser: { executablePath, timeoutMs: 30_000 } });

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

  it.each(["preferences", "remove", "move", "book"])(
    "is the same to a careful player of %s",
    async (kind) => {
      const [task] = tasksOf(web({ kinds: [kind] }), 1);
      const player = memory.experts!["careful"]!(task!, { seed: 1 });
      const expected = await playMessages(memory, { task: task!, player, turns: 24 });
      expect(expected.rewards["correct"]).toBe(1);
      expect(await playMessages(real, { task: task!, player, turns: 24 })).toEqual(expected);
    },
  );

  it.each(["preferences", "edit", "reply", "book"])(
    "is the same whatever is done to a site of %s",
    async (kind) => {
      const random = createRandom(deriveSeed("browsers", kind));
      const [task] = tasksOf(web({ kinds: [kind] }), 1);
      await compare(task!, (page, turn) => (turn < 15 ? drawCall(random, page) : undefined));
    },
  );

  it("passes the focus on in the same order, both ways and past the end", async () => {
    const tasks = tasksOf(web({ kinds: ["preferences", "profile"] }), 40);
    for (const [path, keys] of [
      ["/privacy", [...Array<string>(9).fill("Tab"), ...Array<string>(3).fill("Shift+Tab")]],
      ["/profile", Array<string>(11).fill("Shift+Tab")],
    ] as const) {
      const task = tasks.find(({ input }) => (input as WebInput).path === path)!;
      await compare(task, (_page, turn) =>
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
    const back = Array.from({ length: 5 }, (): Call => ({ name: "back", arguments: {} }));
    const [trip] = tasksOf(web({ kinds: ["book"] }), 1);
    const [issues] = tasksOf(web({ kinds: ["lookup"] }), 1);
    for (const [task, calls] of [
      [trip!, [...clicks(1, 2), ...clicks(6, 2), ...clicks(2, 2), ...back]],
      [issues!, [...clicks(5, 2), ...clicks(27, 2), ...clicks(1, 2), ...back]],
    ] as const)
      await compare(task, (_page, turn) => calls[turn]);
  });

  it("keeps the same text of several lines through a form that is refused", async () => {
    const [task] = tasksOf(web({ kinds: ["create"] }), 1);
    for (const text of ["\n\n<b>&amp;\"'</b> &lt;\n two ", "</textarea><p>out"]) {
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
});
