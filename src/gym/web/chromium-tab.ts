import type { BrowserContext, CDPSession } from "playwright-core";
import type { Browser, Key, PageAction, PageNode } from "./page.ts";
import { type PageElement, readPage, type Senses } from "./read-page.ts";
import { origin, type Server } from "./server.ts";

/** A tab in a context of its own, on a page of the site. Every action is done with mouse and keys. */
export async function openTab(
  context: BrowserContext,
  { server, url, onClose }: { server: Server; url: string; onClose: () => void },
): Promise<Browser> {
  const tab = await context.newPage();
  const protocol = await context.newCDPSession(tab);
  await answerRequests(protocol, server);
  await tab.goto(origin + url);

  /** Does what leads to another page and waits until that is there. */
  const led = async (leads: boolean, act: () => Promise<void>) => {
    if (!leads) return act();
    await Promise.all([tab.waitForEvent("load"), act()]);
  };
  const elementFor = (id: number) => tab.locator(`[data-element="${id}"]`);

  const click = async ({ id, at, leads }: Extract<PageAction, { do: "click" }>) => {
    const place = await tab.evaluate<{ left: number; top: number; opens: boolean }>(`(() => {
      const element = document.querySelector('[data-element="${id}"]');
      const { left, top, width, height } = element.getBoundingClientRect();
      // a click on these opens a window of the browser, which is no part of the page
      const opens = element.matches("select,input[type=date]");
      if (opens) element.focus();
      return { left: left + width / 2, top: top + height / 2, opens };
    })()`);
    if (place.opens) return;
    const scrolled = at ? await tab.evaluate<number>("scrollY") : 0;
    const { left, top } = at ? { left: at.left, top: at.top - scrolled } : place;
    await led(leads, () => tab.mouse.click(left, top));
  };

  const press = async (key: Key) => {
    if (!key.endsWith("Tab")) return tab.keyboard.press(key);
    // a date has stops of its own inside, and past the end comes the browser itself: both are passed
    await tab.evaluate("globalThis.stop = document.activeElement");
    for (let presses = 0; presses < 8; presses++) {
      await tab.keyboard.press(key);
      if (await tab.evaluate<boolean>("![stop, document.body].includes(document.activeElement)")) return;
    }
  };

  const perform = async (action: PageAction) => {
    switch (action.do) {
      case "click":
        await click(action);
        break;
      case "type":
        await elementFor(action.id).fill(action.text);
        break;
      case "select":
        await elementFor(action.id).selectOption({ label: action.option });
        await elementFor(action.id).focus();
        break;
      case "press":
        await led(action.leads, () => press(action.key));
        break;
      case "back":
        await tab.goBack();
    }
    // whatever put the focus into a text, writing goes on at its end
    await tab.evaluate(`(() => {
      const element = document.activeElement;
      if (element?.matches("input[type=text],textarea")) element.setSelectionRange(element.value.length, element.value.length);
    })()`);
  };

  return {
    async read() {
      const { currentIndex } = await protocol.send("Page.getNavigationHistory");
      const read = await tab.evaluate<{ title: string; path: string; height: number; nodes: PageNode[] }>(
        readScript,
      );
      // the first entry is the empty page a tab begins with
      return { ...read, canGoBack: currentIndex > 1 };
    },
    perform,
    elementAt: async ({ left, top }) =>
      (await tab.evaluate<number | null>(`(() => {
        const hit = document.elementFromPoint(${left}, ${top} - scrollY);
        const label = hit?.closest("label");
        const target = label ? label.control : hit?.closest("[data-element]");
        return target ? Number(target.getAttribute("data-element")) : null;
      })()`)) ?? undefined,
    async scrollTo(top) {
      await tab.evaluate(`scrollTo({ top: ${top}, behavior: "instant" })`);
    },
    screenshot: () => tab.screenshot({ type: "png" }),
    async close() {
      try {
        await context.close();
      } finally {
        onClose();
      }
    },
  };
}

/** Answers every request of a tab from the site; anything that is not the site's is blocked. */
async function answerRequests(protocol: CDPSession, server: Server): Promise<void> {
  protocol.on("Fetch.requestPaused", ({ requestId, request: { url, method, postData } }) => {
    void answer({ requestId, url, method, postData }).catch(() => undefined); // the tab was closed meanwhile
  });
  const answer = async (request: {
    requestId: string;
    url: string;
    method: string;
    postData: string | undefined;
  }) => {
    const { requestId, url, method, postData } = request;
    if (new URL(url).origin !== origin) {
      await protocol.send("Fetch.failRequest", { requestId, errorReason: "BlockedByClient" });
      return;
    }
    const reply = server.request({ method, url, ...(postData !== undefined && { body: postData }) });
    const [status, headers, body] =
      "redirect" in reply
        ? [303, [{ name: "location", value: reply.redirect }], ""]
        : [
            200,
            [
              { name: "content-type", value: "text/html; charset=utf-8" },
              { name: "cache-control", value: "no-store" },
              {
                name: "content-security-policy",
                value: "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'",
              },
            ],
            Buffer.from(reply.document).toString("base64"),
          ];
    await protocol.send("Fetch.fulfillRequest", {
      requestId,
      responseCode: status,
      responseHeaders: headers,
      body,
    });
  };
  await protocol.send("Fetch.enable", { patterns: [{ urlPattern: "*" }] });
}

/** Runs in the page, beside `readPage`, and refers to nothing outside of itself. */
function createSenses(): Senses {
  type Control = PageElement & {
    value: string;
    checked: boolean;
    selectedOptions?: Iterable<PageElement>;
    getBoundingClientRect(): { left: number; top: number; width: number; height: number };
  };
  const window = globalThis as unknown as { scrollY: number; document: { activeElement: unknown } };
  return {
    box(element) {
      const { left, top, width, height } = (element as Control).getBoundingClientRect();
      return [left, top + window.scrollY, width, height];
    },
    value(element) {
      const { selectedOptions, value } = element as Control;
      return selectedOptions ? ([...selectedOptions][0]?.textContent ?? "") : value;
    },
    checked: (element) => (element as Control).checked,
    focused: (element) => window.document.activeElement === element,
  };
}

const readScript = `({
  title: document.title,
  path: location.pathname + location.search,
  height: document.body.getBoundingClientRect().height,
  nodes: (${readPage.toString()})(document, (${createSenses.toString()})()),
})`;
