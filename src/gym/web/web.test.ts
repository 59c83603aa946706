import { describe, expect, it } from "vitest";
import { toMessage } from "../../environment/script.ts";
import type { Player, Session, Task } from "../../spec/environment.ts";
import type { JsonObject } from "../../spec/json.ts";
import { ToolError } from "../../spec/tool.ts";
import { playMessages } from "../../testing/play-messages.ts";
import { readFields } from "./fields.ts";
import type { WebAnswer, WebInput } from "./goal.ts";
import { html } from "./html.ts";
import { kinds } from "./kinds.ts";
import { sameData } from "./same-data.ts";
import { createServer } from "./server.ts";
import { web } from "./web.ts";

const environment = web();
const { signal } = new AbortController();

function take(kind: string, count = 1): Task[] {
  const tasks: Task[] = [];
  for (const task of web({ kinds: [kind] }).tasks({ split: "train", seed: 2 }))
    if (tasks.push(task) === count) break;
  return tasks;
}

const open = (task: Task, options = {}) => web(options).start(task, { seed: 1, signal });

async function call(session: Session, name: string, given: JsonObject): Promise<string> {
  const tool = session.tools.find((tool) => tool.name === name)!;
  const checked = await tool.check(given);
  if (!checked.ok) return `misfit: ${checked.issues}`;
  try {
    return await tool.execute(checked.value, { signal });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return `error: ${error.message}`;
  }
}

const idOf = (page: string, target: string) => {
  const line = page.split("\n").find((line) => line.includes(`] ${target}`));
  return Number(/\[(\d+)\]/.exec(line ?? "[0]")![1]);
};

/** The careful player, but for its last message or what it does before. */
const carefulBut = (task: Task, { answer, first }: { answer?: string; first?: JsonObject[] }): Player => {
  const careful = environment.experts!["careful"]!(task, { seed: 1 });
  return async (turn) => {
    const made = turn.messages.filter(({ role }) => role === "assistant").length;
    const detour = first?.[made];
    if (detour) return toMessage({ thought: "", call: detour as { name: string; arguments: JsonObject } });
    const message = await careful(turn);
    return message.toolCalls || answer === undefined ? message : { role: "assistant", content: answer };
  };
};

const earn = async (task: Task, player: Player) =>
  (await playMessages(environment, { task, player, turns: 24 })).rewards;

describe("what is graded", () => {
  it.each(Object.keys(kinds))(
    "%s: careful earns 1, hasty and answers without a deed nothing",
    async (kind) => {
      for (const task of take(kind, 4)) {
        const { careful, hasty } = environment.experts!;
        expect((await earn(task, careful!(task, { seed: 1 })))["correct"]).toBe(1);
        expect((await earn(task, hasty!(task, { seed: 1 })))["correct"]).toBe(0);
        for (const said of [
          "done",
          "finished",
          JSON.stringify(task.input),
          "yes no open closed low high 1 2 3 Ana",
        ]) {
          const player: Player = () => ({ role: "assistant", content: `<answer>${said}</answer>` });
          expect((await earn(task, player))["correct"]).toBe(0);
        }
      }
    },
  );

  it("takes the state that is left for a deed, whatever is said, and the answer for a question", async () => {
    const [deed] = take("edit");
    expect((await earn(deed!, carefulBut(deed!, { answer: "I failed" })))["correct"]).toBe(1);
    const [asked] = take("lookup");
    expect((await earn(asked!, carefulBut(asked!, { answer: "<answer>Nobody</answer>" })))["correct"]).toBe(
      0,
    );
    const { value } = asked!.answer as WebAnswer;
    expect((await earn(asked!, carefulBut(asked!, { answer: `It is ${value}, isn't it?` })))["correct"]).toBe(
      0,
    );
  });

  it("takes nothing for a site where more was changed than asked", async () => {
    const [task] = take("lookup");
    const first = [
      { name: "click", arguments: { element: 11 } },
      { name: "click", arguments: { element: 27 } },
    ];
    expect((await earn(task!, carefulBut(task!, { first })))["correct"]).toBe(0);
  });

  it("counts steps and invalid actions, and says how sparingly tools were used", async () => {
    const [task] = take("count");
    const played = await earn(
      task!,
      carefulBut(task!, { first: [{ name: "click", arguments: { element: 999 } }] }),
    );
    expect(played).toMatchObject({ correct: 1, steps: 4, invalidActions: 1 });
    expect(played["toolUse"]).toBeCloseTo(Math.cos((4 * Math.PI) / (2 * 4 + 3)), 12);
  });

  it("takes the answer of finish, after which nothing can be done", async () => {
    const [task] = take("lookup");
    const { value } = task!.answer as WebAnswer;
    const finish = { name: "finish", arguments: { answer: value! } };
    const player: Player = ({ messages }) =>
      messages.length === 2 ? toMessage({ thought: "", call: finish }) : { role: "assistant", content: "" };
    expect((await earn(task!, player))["correct"]).toBe(1);
    const session = await open(task!);
    await call(session, "finish", {});
    expect(await call(session, "back", {})).toBe("error: you have finished");
  });

  it("compares data without regard to order and to given numbers, and to nothing else", () => {
    const a = {
      mails: [
        { id: 1, to: "x", tags: ["p", "q"] },
        { id: 2, to: "y", tags: [] },
      ],
    };
    const b = {
      mails: [
        { to: "y", id: 7, tags: [] },
        { id: 9, tags: ["q", "p"], to: "x" },
      ],
    };
    expect(sameData(a, b)).toBe(true);
    expect(sameData({ mails: [...a.mails, a.mails[0]!] }, b)).toBe(false);
    expect(sameData({ mails: [a.mails[0]!, { id: 2, to: "z", tags: [] }] }, b)).toBe(false);
    expect(sameData(undefined, b)).toBe(false);
    expect(sameData(null, null)).toBe(true);
  });
});

describe("what an agent sees and may do", () => {
  it("is shown a table by its cells, with numbers for what it can act upon", async () => {
    const [task] = take("lookup");
    const { issues } = (task!.input as WebInput).data as { issues: Record<string, string>[] };
    const [{ title, status, priority, assignee, due }] = issues as [Record<string, string>];
    const session = await open(task!);
    expect(session.messages[1]!.content).toContain(
      [
        `  row [11] | [12] | ${status} | ${priority} | ${assignee} | ${due}`,
        `    [11] checkbox "Select ${title}" unchecked`,
        `    [12] link "${title}"`,
      ].join("\n"),
    );
  });

  it("is shown only the dialog's controls while a dialog is open, and clicks behind it reach nothing", async () => {
    const session = await open(take("remove")[0]!);
    const issue = await call(session, "click", { element: 12 });
    const asked = await call(session, "click", { element: idOf(issue, 'link "Delete"') });
    expect(asked).toMatch(
      /^page .*\ndialog "Delete .*\?"\n {2}text "This cannot be undone\."\n {2}\[1\] button "Delete for good"\n {2}\[2\] link "Cancel"$/,
    );
    expect(await call(session, "click", { x: 10, y: 84 })).toBe(
      "error: there is nothing to click at (10, 84)",
    );
    expect(await call(session, "click", { x: 10, y: 60 })).toContain(issue.split("\n").slice(1).join("\n"));
  });

  it("opens and closes a menu", async () => {
    const session = await open(take("move")[0]!);
    const inbox = session.messages[1]!.content;
    const mail = await call(session, "click", { element: idOf(inbox, 'link "') + 6 });
    expect(mail).toMatch(/disclosure "Move to" collapsed$/);
    const opened = await call(session, "click", { element: idOf(mail, 'disclosure "Move to"') });
    expect(opened).toMatch(/disclosure "Move to" expanded focused\n {2}\[\d+\] button "Archive"/);
    expect(await call(session, "press", { key: "Enter" })).toMatch(/disclosure "Move to" collapsed focused$/);
  });

  it("sees what is in view, and scrolls to the rest", async () => {
    const session = await open(
      take("preferences", 9).find(({ input }) => (input as WebInput).path === "/notifications")!,
    );
    const top = session.messages[1]!.content;
    expect(top).toMatch(/\(more below\)$/);
    expect(top).not.toContain('button "Save"');
    expect(await call(session, "click", { element: 30 })).toMatch(
      /^error: (?:\[30\] is not in view|there is no element)/,
    );
    expect(await call(session, "scroll", { direction: "up" })).toBe("error: there is nothing more above");
    const bottom = await call(session, "scroll", { direction: "down" });
    expect(bottom).toContain("(more above)");
    expect(bottom).toContain('button "Save"');
  });

  it("can click where an element is, and is told where that is", async () => {
    const session = await open(
      take("preferences", 9).find(({ input }) => (input as WebInput).path === "/profile")!,
      {
        bounds: true,
      },
    );
    expect(session.messages[1]!.content).toContain('[3] link "Privacy" @(320,0,160,24)');
    expect(await call(session, "click", { x: 321, y: 23 })).toMatch(/^page "Privacy" \/privacy/);
    expect(await call(session, "click", { x: 959, y: 479 })).toBe(
      "error: there is nothing to click at (959, 479)",
    );
    expect(await call(session, "click", { x: 960, y: 0 })).toMatch(
      /^error: \(960, 0\) is outside of the view/,
    );
  });

  it("is told what it did wrong", async () => {
    const session = await open(take("create")[0]!);
    const page = await call(session, "click", { element: 2 });
    const [title, status, due] = ['textbox "Title"', 'combobox "Status"', 'date "Due"'].map((target) =>
      idOf(page, target),
    );
    for (const [name, given, told] of [
      ["click", {}, /^misfit: expected either element, or both x and y/],
      ["click", { element: 1, x: 3, y: 4 }, /^misfit/],
      ["click", { element: 99 }, "error: there is no element [99] on this page"],
      ["type", { element: 1, text: "a" }, "error: [1] is a link, expected a textbox or date"],
      ["type", { element: title!, text: "a\nb" }, `error: [${title}] takes one line of text`],
      ["type", { element: title!, text: "a\u0000b" }, "error: the text holds characters that no key writes"],
      ["type", { element: title!, text: "\ud800" }, "error: the text holds characters that no key writes"],
      ["type", { element: due!, text: "3 May" }, 'error: "3 May" is not a date, expected YYYY-MM-DD'],
      ["type", { element: title!, text: "a".repeat(2001) }, /^misfit: text/],
      [
        "select",
        { element: status!, option: "lost" },
        `error: [${status}] has no option "lost"; there are open, started, closed`,
      ],
      ["select", { element: title!, option: "open" }, `error: [${title}] is a textbox, expected a combobox`],
      ["press", { key: "F5" }, /^misfit: key/],
      ["press", { key: "Enter" }, "error: Enter does nothing while no element has the focus"],
      ["scroll", { direction: "left" }, /^misfit: direction/],
    ] as const)
      expect(await call(session, name, given)).toEqual(
        typeof told === "string" ? told : expect.stringMatching(told),
      );
    await call(session, "select", { element: status!, option: "closed" });
    expect(await call(session, "press", { key: "Enter" })).toBe("error: Enter does nothing on a combobox");
    expect(await call(session, "back", {})).toMatch(/^page "Issues"/);
    expect(await call(session, "back", {})).toBe("error: there is no page before this one");
  });

  it("may fill several fields in one turn, but not act on a page that has gone", async () => {
    const session = await open(take("create")[0]!);
    const page = await call(session, "click", { element: 2 });
    const title = { element: idOf(page, 'textbox "Title"'), text: "Roof leaks" };
    const notes = { element: idOf(page, 'textbox "Notes"'), text: "Soon" };
    const [, filled, away, late] = await Promise.all([
      call(session, "type", title),
      call(session, "type", notes),
      call(session, "click", { element: 1 }),
      call(session, "type", title),
    ]);
    expect(filled).toMatch(/value "Roof leaks"[\s\S]*value "Soon"/);
    expect(away).toMatch(/^page "Issues"/);
    expect(late).toMatch(/^error: the page has changed since/);
  });

  it("is told by a form what is missing, and keeps what it wrote", async () => {
    const session = await open(take("create")[0]!);
    const page = await call(session, "click", { element: 2 });
    await call(session, "type", { element: idOf(page, 'textbox "Title"'), text: '<b>"Roof" & co' });
    const refused = await call(session, "press", { key: "Enter" });
    expect(refused).toContain('alert "Due is missing"');
    expect(refused).toContain(`textbox "Title" value ${JSON.stringify('<b>"Roof" & co')}`);
    expect(await session.outcome!()).toEqual({ data: null, answer: null, finished: false });
  });
});

describe("the sites", () => {
  it("keep text text", () => {
    expect(html`<p title="${'"'}">${"<script>&"}</p>`.markup).toBe(
      '<p title="&quot;">&lt;script&gt;&amp;</p>',
    );
  });

  it("refuse what a form cannot send", () => {
    const fields = [
      { name: "day", label: "Day", control: "date" },
      { name: "size", label: "Size", control: "select", options: ["s", "m"] },
      { name: "name", label: "Name", control: "text", required: true },
    ] as const;
    const { values, alerts } = readFields(fields, new URLSearchParams("day=2026-02-29&size=xl&name=+"));
    expect(values).toEqual({ day: "2026-02-29", size: "xl", name: "" });
    expect(alerts).toEqual(["Day is not a date", "Size is not one of the options", "Name is missing"]);
  });

  it("never change the data they began with", async () => {
    const [task] = take("edit");
    const before = JSON.stringify(task);
    const { outcome } = await playMessages(environment, {
      task: task!,
      player: environment.experts!["careful"]!(task!, { seed: 1 }),
    });
    expect((outcome as { data: unknown }).data).not.toBeNull();
    expect(JSON.stringify(task)).toBe(before);
  });

  it("answer an address that leads nowhere with a page that says so", () => {
    const server = createServer({ site: "tracker", data: { issues: [] } });
    for (const [method, url] of [
      ["GET", "/"],
      ["GET", "/issues/7"],
      ["POST", "/issues/7/delete"],
      ["GET", "/issues/7/edit/now"],
    ] as const)
      expect(server.request({ method, url })).toMatchObject({
        document: expect.stringContaining("Not found"),
      });
    expect(server.request({ method: "GET", url: "/issues?page=-3&sort=none" })).toMatchObject({
      document: expect.stringContaining("Page 1 of 1"),
    });
  });
});

it("refuses options that cannot be", () => {
  expect(() => web({ kinds: ["shop"] })).toThrow(
    /environment "web": no kind of task "shop"; there are preferences/,
  );
  expect(() => web({ browser: { executablePath: "" } })).toThrow(/expected the path of a Chromium/);
  expect(() => web({ browser: { executablePath: "/usr/bin/chromium", timeoutMs: 0 } })).toThrow(
    /timeoutMs above 0, got 0/,
  );
  expect(() => createServer({ site: "shop", data: null })).toThrow(
    /no site "shop"; there are settings, tracker/,
  );
});
