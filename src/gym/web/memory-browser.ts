import {
  choose,
  heldBy,
  isTabStop,
  kindOf,
  radioGroup,
  readArea,
  selectedIndex,
  setText,
  successfulControls,
  toggle,
} from "./controls.ts";
import { layOut } from "./layout.ts";
import type { Browser, Key, PageAction } from "./page.ts";
import { type PageDocument, type PageElement, readPage } from "./read-page.ts";
import type { Server } from "./server.ts";

type Parse = (markup: string) => PageDocument & { title: string };

/** A page of the history: going back to what a form was sent for sends it again. */
type Entry = { url: string; body?: string };

let parse: Parse | undefined;

/** linkedom, loaded when the first session needs it. */
async function loadParser(): Promise<Parse> {
  const { parseHTML } = await import("linkedom");
  return (markup) => parseHTML(markup).document as unknown as ReturnType<Parse>;
}

/**
 * A browser without a window: a DOM of linkedom, and what the HTML standard says that links, forms, fields, focus and
 * history do, for the elements the sites use. What a control holds is kept in its attributes.
 */
export async function openMemoryBrowser({ server, url }: { server: Server; url: string }): Promise<Browser> {
  parse ??= await loadParser();
  return createMemoryBrowser({ server, url, parse });
}

function createMemoryBrowser({ server, url, parse }: { server: Server; url: string; parse: Parse }): Browser {
  let current: ReturnType<Parse>;
  let path = "";
  let entry: Entry;
  let focus: PageElement | undefined;
  let boxes: ReturnType<typeof layOut>["boxes"];
  const past: Entry[] = [];

  const load = (request: Entry) => {
    entry = request;
    let reply = server.request({ method: request.body === undefined ? "GET" : "POST", ...request });
    while ("redirect" in reply) {
      entry = { url: reply.redirect };
      reply = server.request({ method: "GET", url: entry.url });
    }
    path = entry.url;
    current = parse(reply.document);
    for (const area of current.body.querySelectorAll("textarea")) readArea(area);
    focus = undefined;
  };

  const navigate = (request: Entry) => {
    past.push(entry);
    load(request);
  };

  /** A link to where one is already is a reload and leaves nothing behind; a form that is sent there does. */
  const follow = (url: string) => (url === path ? load({ url }) : navigate({ url }));

  const submit = (form: PageElement, button?: PageElement) => {
    const sent = new URLSearchParams(successfulControls(form, button));
    const action = form.getAttribute("action") ?? path;
    if (form.getAttribute("method") === "post") navigate({ url: action, body: sent.toString() });
    else navigate({ url: `${action}?${sent.toString()}` });
  };

  const submitImplicitly = (field: PageElement) => {
    const form = field.closest("form");
    const button = form?.querySelector("button");
    if (form && button && !button.hasAttribute("disabled")) submit(form, button);
  };

  const activate = (element: PageElement) => {
    switch (kindOf(element)) {
      case "a":
        return follow(element.getAttribute("href") ?? path);
      case "button": {
        focus = element;
        const form = element.closest("form");
        return form ? submit(form, element) : undefined;
      }
      case "summary":
        focus = element;
        return toggle(element.closest("details")!, "open");
      case "checkbox":
        focus = element;
        return toggle(element, "checked");
      case "radio":
        focus = element;
        return check(element);
      default:
        focus = element;
        return undefined;
    }
  };

  const check = (radio: PageElement) => {
    for (const other of radioGroup(radio)) other.removeAttribute("checked");
    radio.setAttribute("checked", "");
  };

  const press = (key: Key) => {
    if (key === "Tab" || key === "Shift+Tab") return moveFocus(key === "Tab" ? 1 : -1);
    if (!focus) return undefined;
    const kind = kindOf(focus);
    const step = key === "ArrowDown" ? 1 : -1;
    switch (key) {
      case "Enter":
        if (kind === "textarea") return setText(focus, `${heldBy(focus)}\n`);
        if (kind === "a" || kind === "button" || kind === "summary") return activate(focus);
        return submitImplicitly(focus);
      case "Space":
        if (kind === "text" || kind === "textarea") return setText(focus, `${heldBy(focus)} `);
        return activate(focus);
      case "ArrowDown":
      case "ArrowUp": {
        if (kind === "select") {
          const options = [...focus.querySelectorAll("option")];
          const next = options[selectedIndex(options) + step];
          return next && choose(focus, next);
        }
        const group = radioGroup(focus);
        const next = group.at((group.indexOf(focus) + step) % group.length)!;
        focus = next;
        return check(next);
      }
    }
  };

  /** To the next stop or the one before, from the last to the first. */
  const moveFocus = (step: 1 | -1) => {
    const from = focus;
    const group = from && kindOf(from) === "radio" ? radioGroup(from) : [];
    const stops = [...current.body.querySelectorAll("a,button,input,select,textarea,summary")].filter(
      (element) => element === from || (isTabStop(element) && !group.includes(element)),
    );
    const at = from ? stops.indexOf(from) : step === 1 ? -1 : 0;
    const next = stops.at((at + step) % stops.length);
    if (next) focus = next;
  };

  const elementFor = (id: number) => current.querySelector(`[data-element="${id}"]`)!;

  const elementAt = ({ left, top }: { left: number; top: number }) => {
    let hit: PageElement | undefined;
    // children are placed before their parents, so the first box around the point is the innermost
    for (const [element, [x, y, width, height]] of boxes) {
      if (left < x || left >= x + width || top < y || top >= y + height) continue;
      if (element.closest("[inert]")) continue;
      hit = element;
      break;
    }
    if (!hit) return undefined;
    const label = hit.closest("label");
    const target = label
      ? current.querySelector(`[id="${label.getAttribute("for")}"]`)
      : hit.closest("[data-element]");
    return target ?? undefined;
  };

  const perform = (action: PageAction) => {
    switch (action.do) {
      case "click":
        return activate(elementFor(action.id));
      case "type": {
        const element = elementFor(action.id);
        focus = element;
        return setText(element, action.text);
      }
      case "select": {
        const element = elementFor(action.id);
        focus = element;
        const option = [...element.querySelectorAll("option")].find(
          ({ textContent }) => textContent === action.option,
        );
        return option && choose(element, option);
      }
      case "press":
        return press(action.key);
      case "back": {
        const before = past.pop();
        return before && load(before);
      }
    }
  };

  load({ url });
  return {
    read() {
      const layout = layOut(current.body);
      boxes = layout.boxes;
      const nodes = readPage(current, {
        box: (element) => boxes.get(element) ?? [0, 0, 0, 0],
        value: heldBy,
        checked: (element) => element.hasAttribute("checked"),
        focused: (element) => element === focus,
      });
      return { title: titleOf(current), path, height: layout.height, canGoBack: past.length > 0, nodes };
    },
    perform,
    elementAt(point) {
      const id = elementAt(point)?.getAttribute("data-element");
      return id ? Number(id) : undefined;
    },
    scrollTo() {},
    close() {},
  };
}

/** A document's title, stripped and collapsed as the HTML standard has it: white space of ASCII and no other. */
const titleOf = ({ title }: { title: string }) => title.replace(/[\t\n\f\r ]+/g, " ").replace(/^ | $/g, "");
