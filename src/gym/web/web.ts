import { defineEnvironment } from "../../environment/define-environment.ts";
import { pickKinds, taskStream } from "../../environment/task-stream.ts";
import { givenAnswer, sameAnswer } from "../../reward/answer.ts";
import { toolUse } from "../../reward/components.ts";
import type { Environment, GradeContext } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { Json } from "../../spec/json.ts";
import { type ChromiumOptions, createChromium } from "./chromium.ts";
import type { WebAnswer, WebInput } from "./goal.ts";
import { createHands } from "./hands.ts";
import { kinds } from "./kinds.ts";
import { viewport } from "./layout.ts";
import { openMemoryBrowser } from "./memory-browser.ts";
import { planPlayer } from "./player.ts";
import { sameData } from "./same-data.ts";
import { createServer } from "./server.ts";
import { type Finished, webTools } from "./tools.ts";

export type WebOptions = {
  /** Families of tasks; all where absent. */
  kinds?: readonly string[];
  /** Shows where every element is, for clicks by coordinates. */
  bounds?: boolean;
  /** A real browser instead of the one in memory. Needs the package playwright-core. */
  browser?: ChromiumOptions & {
    /** Is given a PNG of what is in view whenever the agent is shown a page. */
    onScreenshot?: (screenshot: Screenshot) => void | Promise<void>;
  };
};

export type Screenshot = { task: string; seed: number; look: number; png: Uint8Array };

/** What is left when an episode ends: the site's data (null while unchanged), and what `finish` was told. */
type WebOutcome = { data: Json; answer: string | null; finished: boolean };

/** Small sites to be operated as a person would: forms, lists, tables, menus, dialogs and wizards. */
export function web({
  kinds: only = Object.keys(kinds),
  bounds = false,
  browser,
}: WebOptions = {}): Environment {
  const asked = pickKinds(kinds, { only, environment: "web" });
  if (browser) checkBrowser(browser);
  const chromium = browser && createChromium(browser);
  return defineEnvironment<WebInput>({
    name: "web",
    description: "Small web sites to be operated through their accessibility tree.",
    tasks: ({ split, seed }) => taskStream({ environment: "web", kinds: asked, salt: "web-1", split, seed }),
    async start(task, { seed, signal }) {
      const { goal, site, data, path } = task.input;
      const server = createServer({ site, data });
      const open = chromium?.open ?? openMemoryBrowser;
      const tab = await open({ server, url: path });
      let looks = 0;
      const onLook = async () => {
        if (!browser?.onScreenshot || !tab.screenshot) return;
        const png = await tab.screenshot();
        await browser.onScreenshot({ task: task.id, seed, look: looks++, png });
      };
      const finished: Finished = { answer: null, isFinished: false };
      try {
        signal.throwIfAborted();
        const hands = await createHands({ browser: tab, bounds, onLook });
        return {
          messages: [
            { role: "system", content: instructions(bounds) },
            { role: "user", content: `${goal}\n\n${hands.look()}` },
          ],
          tools: webTools(hands, finished),
          ended: () => finished.isFinished,
          outcome: (): WebOutcome => ({
            data: server.data === data ? null : server.data,
            answer: finished.answer,
            finished: finished.isFinished,
          }),
          close: () => tab.close(),
        };
      } catch (error) {
        await tab.close();
        throw error;
      }
    },
    rewards: {
      correct: { weight: 1, grade: (context) => (isDone(context) ? 1 : 0) },
      toolUse: toolUse({ isCorrect: isDone }),
      invalidActions: {
        weight: 0,
        grade: ({ calls }) => calls.filter(({ failure }) => failure !== null).length,
      },
      steps: { weight: 0, grade: ({ calls }) => calls.length },
    },
    limits: { turns: 24, toolCalls: 48, tokens: 32_768, observationCharacters: 6000 },
    experts: { careful: (task) => planPlayer(task, "careful"), hasty: (task) => planPlayer(task, "hasty") },
  });
}

const instructions = (bounds: boolean) =>
  [
    "Do the task on the web page with the tools, one call a turn. Every call shows the page as it is then.",
    "[12] is the number of an element on the page that is shown; numbers change when the page does.",
    ...(bounds
      ? [
          `@(left,top,width,height) is where it is in the view of ${viewport.width} by ${viewport.height} pixels.`,
        ]
      : []),
    "When it is done, write <answer>done</answer>, or for a question the value: <answer>42</answer>",
  ].join("\n");

function isDone({ task, status, answer, outcome }: GradeContext): boolean {
  if (status !== "completed" || outcome === undefined) return false;
  const expected = task.answer as WebAnswer;
  const left = outcome as WebOutcome;
  if (!sameData(left.data, expected.data)) return false;
  return expected.value === null || sameAnswer(left.answer ?? givenAnswer(answer), expected.value);
}

function checkBrowser({ executablePath, timeoutMs = 1 }: ChromiumOptions): void {
  const refuse = (message: string): never => {
    throw new AttuneError("usage", `environment "web": ${message}`);
  };
  if (typeof executablePath !== "string" || executablePath === "")
    refuse(
      `expected the path of a Chromium in browser.executablePath, got ${JSON.stringify(executablePath)}`,
    );
  if (!(timeoutMs > 0)) refuse(`expected browser.timeoutMs above 0, got ${timeoutMs}`);
}
