import type { BrowserContext, Browser as Playwright } from "playwright-core";
import { AttuneError } from "../../spec/error.ts";
import { openTab } from "./chromium-tab.ts";
import { viewport } from "./layout.ts";
import type { Browser } from "./page.ts";
import type { Server } from "./server.ts";

export type ChromiumOptions = {
  executablePath: string;
  /** Milliseconds that one step in the browser may take before the world is said to have failed. */
  timeoutMs?: number;
};

/** Opens tabs in one Chromium, which runs while any of them is open. */
export type Chromium = {
  open(options: { server: Server; url: string }): Promise<Browser>;
};

/** What the browser is started with: nothing but painting, and no way out to any host. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND",
];

/** A browser that nobody uses ends after this time; sessions that follow each other share one. */
const idleMs = 1000;

/** Headless Chromium by playwright-core, which is loaded when the first session opens. */
export function createChromium({ executablePath, timeoutMs = 10_000 }: ChromiumOptions): Chromium {
  let running: Promise<Playwright> | undefined;
  let users = 0;
  let idle: NodeJS.Timeout | undefined;

  const acquire = () => {
    clearTimeout(idle);
    users++;
    if (running) return running;
    const started = launch({ executablePath, timeoutMs });
    // one that does not start or dies is started anew for the next session
    const forget = () => {
      if (running === started) running = undefined;
    };
    started.then((browser) => browser.on("disconnected", forget), forget);
    running = started;
    return started;
  };
  const release = () => {
    users--;
    if (users > 0) return;
    idle = setTimeout(() => {
      const ended = running;
      running = undefined;
      void ended?.then((browser) => browser.close()).catch(() => undefined);
    }, idleMs);
  };

  return {
    async open(options) {
      let context: BrowserContext | undefined;
      try {
        const browser = await acquire();
        context = await browser.newContext({ viewport, javaScriptEnabled: false, acceptDownloads: false });
        context.setDefaultTimeout(timeoutMs);
        return await openTab(context, { ...options, onClose: release });
      } catch (error) {
        await context?.close().catch(() => undefined);
        release();
        throw error;
      }
    },
  };
}

async function launch({ executablePath, timeoutMs }: Required<ChromiumOptions>): Promise<Playwright> {
  const playwright = await import("playwright-core").catch((error: unknown) => {
    throw new AttuneError(
      "usage",
      'environment "web": a browser needs the package playwright-core; add it with `npm install playwright-core`',
      { cause: error },
    );
  });
  try {
    return await playwright.chromium.launch({ executablePath, args: flags, timeout: timeoutMs * 3 });
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new AttuneError("environment", `environment "web": ${executablePath} does not start: ${reason}`, {
      cause: error,
    });
  }
}
