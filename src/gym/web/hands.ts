import { ToolError } from "../../spec/tool.ts";
import { isDate } from "./fields.ts";
import { lineHeight, viewport } from "./layout.ts";
import { describePage, isInView } from "./observation.ts";
import type { Browser, Key, Page, PageNode } from "./page.ts";

/** What a click is aimed at. */
export type Target = { element: number } | { x: number; y: number };

/** Acts in a browser for an agent and tells it what is to be seen then. Everything impossible is a `ToolError`. */
export type Hands = {
  look(): string;
  click(target: Target): Promise<string>;
  type(target: { element: number; text: string }): Promise<string>;
  select(target: { element: number; option: string }): Promise<string>;
  scroll(direction: "up" | "down"): Promise<string>;
  press(key: Key): Promise<string>;
  back(): Promise<string>;
};

/** Which keys mean something to which roles. Keys that would only scroll, or open a list outside of the page, do not. */
const uses: Partial<Record<Key, readonly string[]>> = {
  Enter: ["link", "button", "disclosure", "textbox", "checkbox", "radio"],
  Space: ["button", "disclosure", "textbox", "checkbox", "radio"],
  ArrowUp: ["radio", "combobox"],
  ArrowDown: ["radio", "combobox"],
};

/**
 * Hands over a browser. Calls made side by side are taken one after the other; those that come after the page has
 * become another are refused, since their numbers were read on the one before.
 */
export async function createHands({
  browser,
  bounds,
  onLook,
}: {
  browser: Browser;
  bounds: boolean;
  onLook?: (() => Promise<void>) | undefined;
}): Promise<Hands> {
  let page = await browser.read();
  let offset = 0;
  let version = 0;
  let queue: Promise<unknown> = Promise.resolve();
  await onLook?.();

  const look = () => describePage(page, { offset, bounds });

  /** Reads what has become of the page, with what has the focus in view. */
  const reread = async () => {
    const before = page;
    page = await browser.read();
    if (page.path !== before.path || outline(page) !== outline(before)) version++;
    if (page.path !== before.path) offset = 0;
    const focused = page.nodes.find((node) => node.focused);
    if (focused && !isInView(focused, offset)) offset = revealed(focused, offset);
    offset = clamp(offset, page);
    await browser.scrollTo(offset);
    await onLook?.();
    return look();
  };

  const inTurn = (act: () => Promise<string>): Promise<string> => {
    const seen = version;
    const done = queue.then(async () => {
      // lets calls of the same turn arrive before the page changes under them
      await new Promise(setImmediate);
      if (version !== seen)
        throw new ToolError("the page has changed since; look at it and call again, one action a turn");
      return act();
    });
    queue = done.catch(() => undefined);
    return done;
  };

  const find = (id: number, roles?: readonly string[]): PageNode & { id: number } => {
    const node = page.nodes.find((node) => node.id === id);
    if (!node) throw new ToolError(`there is no element [${id}] on this page`);
    if (!isInView(node, offset)) throw new ToolError(`[${id}] is not in view; scroll first`);
    if (roles && !roles.includes(node.role))
      throw new ToolError(`[${id}] is a ${node.role}, expected a ${roles.join(" or ")}`);
    if (node.disabled) throw new ToolError(`[${id}] is disabled`);
    return { ...node, id };
  };

  const clickAt = async ({ x, y }: { x: number; y: number }) => {
    if (!(x >= 0 && x < viewport.width && y >= 0 && y < viewport.height))
      throw new ToolError(
        `(${x}, ${y}) is outside of the view, which is ${viewport.width} by ${viewport.height}`,
      );
    // a point stands for the pixel it lies in; what a browser makes of a part of one is its own affair
    const at = { left: Math.floor(x), top: Math.floor(y) + offset };
    const id = await browser.elementAt(at);
    const node = page.nodes.find((node) => node.id === id);
    if (!node || id === undefined) throw new ToolError(`there is nothing to click at (${x}, ${y})`);
    if (node.disabled) throw new ToolError(`[${id}] is disabled`);
    await browser.perform({ do: "click", id, at, leads: clickLeads(node) });
    return reread();
  };

  return {
    look,
    click: (target) =>
      inTurn(async () => {
        if (!("element" in target)) return clickAt(target);
        const node = find(target.element);
        await browser.perform({ do: "click", id: node.id, leads: clickLeads(node) });
        return reread();
      }),
    type: ({ element, text }) =>
      inTurn(async () => {
        const node = find(element, ["textbox", "date"]);
        if (node.role === "date" && text !== "" && !isDate(text))
          throw new ToolError(`"${shortened(text)}" is not a date, expected YYYY-MM-DD`);
        if (!node.multiline && /[\r\n]/.test(text))
          throw new ToolError(`[${element}] takes one line of text`);
        if (!isTypeable(text)) throw new ToolError("the text holds characters that no key writes");
        await browser.perform({ do: "type", id: node.id, text: text.replace(/\r\n?/g, "\n") });
        return reread();
      }),
    select: ({ element, option }) =>
      inTurn(async () => {
        const { id, options = [] } = find(element, ["combobox"]);
        if (!options.includes(option))
          throw new ToolError(
            `[${element}] has no option "${shortened(option)}"; there are ${options.join(", ")}`,
          );
        await browser.perform({ do: "select", id, option });
        return reread();
      }),
    scroll: (direction) =>
      inTurn(async () => {
        const step = viewport.height - 2 * lineHeight;
        const next = clamp(direction === "down" ? offset + step : offset - step, page);
        if (next === offset)
          throw new ToolError(`there is nothing more ${direction === "down" ? "below" : "above"}`);
        offset = next;
        await browser.scrollTo(offset);
        await onLook?.();
        return look();
      }),
    press: (key) =>
      inTurn(async () => {
        const focused = page.nodes.find((node) => node.focused);
        const roles = uses[key];
        if (roles && !focused) throw new ToolError(`${key} does nothing while no element has the focus`);
        if (roles && focused && !roles.includes(focused.role))
          throw new ToolError(`${key} does nothing on a ${focused.role}`);
        await browser.perform({ do: "press", key, leads: focused !== undefined && keyLeads(key, focused) });
        return reread();
      }),
    back: () =>
      inTurn(async () => {
        if (!page.canGoBack) throw new ToolError("there is no page before this one");
        await browser.perform({ do: "back" });
        return reread();
      }),
  };
}

const clickLeads = ({ role, leads }: PageNode) => leads === true && (role === "link" || role === "button");

const keyLeads = (key: Key, focused: PageNode) =>
  key === "Enter" ? focused.leads === true : key === "Space" && clickLeads(focused);

/** What decides whether numbers still mean the same. */
const outline = ({ nodes }: Page) =>
  nodes.flatMap(({ id, role, name }) => (id === undefined ? [] : [`${role} ${name}`])).join("\n");

function revealed({ box: [, top, , height] }: PageNode, offset: number): number {
  return top < offset ? top : top + height - viewport.height;
}

const clamp = (offset: number, { height }: Page) => Math.max(0, Math.min(offset, height - viewport.height));

/** Without control characters and halves of characters, which a page may not hold. */
const isTypeable = (text: string) => text.isWellFormed() && !/[^\P{Cc}\t\r\n]/u.test(text);

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
