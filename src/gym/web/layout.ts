import type { Box } from "./page.ts";
import type { PageElement } from "./read-page.ts";

/** What is in view, in pixels. */
export const viewport = { width: 960, height: 480 } as const;

export const lineHeight = 24;

const areaHeight = 3 * lineHeight;

/** Width by tag. A leaf is as wide and high as its tag says, whatever it holds: what does not fit is not painted. */
const widths: Record<string, number> = {
  h1: 960,
  h2: 960,
  p: 960,
  span: 160,
  label: 160,
  th: 160,
  td: 160,
  a: 160,
  button: 160,
  summary: 160,
  input: 240,
  select: 240,
  textarea: 240,
};

const rows = new Set(["nav", "tr", "li"]);

/**
 * The same layout as a stylesheet: blocks stand below each other, what is in a row side by side, everything on a
 * grid of lines. So a place on a page can be computed without a browser, and is where a browser paints it.
 */
export const stylesheet = [
  "*{margin:0;padding:0;border:0;min-width:0;box-sizing:border-box;font:14px/24px sans-serif;border-radius:0}",
  `body{width:${viewport.width}px}`,
  "html,body,main,form,ul,div,dialog,details,table,thead,tbody{display:block;position:static;width:auto;height:auto;max-width:none;max-height:none;overflow:visible;background:none;color:#000}",
  ".row,nav,tr,li{display:flex}",
  `${Object.keys(widths).join(",")}{display:block;flex:none;height:${lineHeight}px;overflow:hidden;white-space:nowrap;text-align:left}`,
  ...Object.entries(widths).map(([tag, width]) => `${tag}{width:${width}px}`),
  `input[type=checkbox],input[type=radio]{width:${lineHeight}px}`,
  `textarea{height:${areaHeight}px;resize:none;white-space:pre-wrap}`,
  "input[type=hidden]{display:none}",
  "h1,th{font-weight:bold}input,select,textarea{background:#eef}button,summary{background:#ddd}input,select,textarea,button,summary{box-shadow:inset 0 0 0 1px #999}dialog{background:#ffd}[inert]{opacity:.5}",
].join("");

/** The boxes of everything under a body, and how high the page is. */
export function layOut(body: PageElement): { boxes: Map<PageElement, Box>; height: number } {
  const boxes = new Map<PageElement, Box>();
  const place = (element: PageElement, left: number, top: number, width: number): Box => {
    const tag = element.tagName.toLowerCase();
    const own = tag === "input" && isTick(element) ? lineHeight : widths[tag];
    const box: Box = [left, top, own ?? width, 0];
    if (own !== undefined) {
      box[3] = tag === "textarea" ? areaHeight : lineHeight;
      for (const child of shown(element)) place(child, left, top, own);
    } else if (rows.has(tag) || element.getAttribute("class") === "row") {
      let right = left;
      for (const child of shown(element)) {
        const [, , childWidth, childHeight] = place(child, right, top, width);
        right += childWidth;
        box[3] = Math.max(box[3], childHeight);
      }
    } else {
      for (const child of shown(element)) box[3] += place(child, left, top + box[3], width)[3];
    }
    boxes.set(element, box);
    return box;
  };
  const [, , , height] = place(body, 0, 0, viewport.width);
  return { boxes, height };
}

const isTick = (element: PageElement) => /^(?:checkbox|radio)$/.test(element.getAttribute("type") ?? "");

/** The children that are painted. */
function shown(element: PageElement): PageElement[] {
  const isClosed = element.tagName === "DETAILS" && !element.hasAttribute("open");
  return [...element.children].filter(
    (child) =>
      child.tagName !== "OPTION" &&
      child.getAttribute("type") !== "hidden" &&
      !(isClosed && child.tagName !== "SUMMARY"),
  );
}
