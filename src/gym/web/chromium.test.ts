import { existsSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import { describe, expect, it } from "vitest";
import { playMessages } from "../../testing/play-messages.ts";
import { createChromium } from "./chromium.ts";
import type { WebInput } from "./goal.ts";
import { openMemoryBrowser } from "./memory-browser.ts";
import { createServer } from "./server.ts";
import { type Screenshot, web } from "./web.ts";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = places.find((place) => existsSync(place)) ?? "";
if (!executablePath) process.stderr.write(`no Chromium at ${places.join(", ")}: it is not tried\n`);

const drawn = { split: "train", seed: 3 } as const;

describe.runIf(executablePath)("Chromium", { timeout: 120_000 }, () => {
  it("has the controls that Chromium itself tells assistive technology of", async () => {
    const roles: Record<string, string> = { Date: "date", DisclosureTriangle: "disclosure" };
    const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox"] });
    try {
      const tab = await browser.newPage();
      const protocol = await tab.context().newCDPSession(tab);
      for (const kind of ["preferences", "profile", "lookup", "create", "move", "book"]) {
        const [task] = web({ kinds: [kind] }).tasks(drawn);
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
    const [task] = web({ kinds: ["read"] }).tasks(drawn);
    const player = painted.experts!["careful"]!(task!, { seed: 1 });
    const { calls } = await playMessages(painted, { task: task!, player });
    expect(taken.map(({ look }) => look)).toEqual([...calls.map((_, index) => index), calls.length]);
    for (const { png } of taken) {
      const header = Buffer.from(png).subarray(0, 24);
      expect(header.toString("latin1")).toContain("PNG");
      expect([header.readUInt32BE(16), header.readUInt32BE(20)]).toEqual([960, 480]);
    }
  });
});

it("says what it lacks when there is no browser to start", async () => {
  const [task] = web().tasks(drawn);
  const broken = web({ browser: { executablePath: "/nowhere/chromium" } });
  await expect(broken.start(task!, { seed: 1, signal: new AbortController().signal })).rejects.toThrow(
    /environment "web": \/nowhere\/chromium does not start: /,
  );
});
