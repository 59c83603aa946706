import { viewport } from "./layout.ts";
import type { Page, PageNode } from "./page.ts";

/** What an agent is shown of a page: the lines whose middle is in view, and whether there is more. */
export function describePage(page: Page, { offset, bounds }: { offset: number; bounds: boolean }): string {
  const lines = [`page ${JSON.stringify(page.title)} ${page.path}`];
  if (offset > 0) lines.push("(more above)");
  for (const node of page.nodes) if (isInView(node, offset)) lines.push(describe(node, { offset, bounds }));
  if (offset + viewport.height < page.height) lines.push("(more below)");
  return lines.join("\n");
}

/** A group is in view where any of it is; anything else where its middle is. */
export function isInView({ box: [, top, , height], id, name }: PageNode, offset: number): boolean {
  if (id === undefined && name === "") return top < offset + viewport.height && top + height > offset;
  const middle = top + height / 2;
  return middle >= offset && middle < offset + viewport.height;
}

function describe(node: PageNode, { offset, bounds }: { offset: number; bounds: boolean }): string {
  const { depth, role, name, id, value, options, checked, expanded, disabled, focused, box } = node;
  const words = [role];
  if (id !== undefined) words.unshift(`[${id}]`);
  // a row is told as its cells; they need no quotes
  if (role === "row" || role === "listitem") words.push(name);
  else if (name !== "" || id !== undefined) words.push(JSON.stringify(name));
  if (value !== undefined) words.push(`value ${JSON.stringify(value)}`);
  if (options) words.push(`of (${options.join(" | ")})`);
  if (checked !== undefined) words.push(checked ? "checked" : "unchecked");
  if (expanded !== undefined) words.push(expanded ? "expanded" : "collapsed");
  if (disabled) words.push("disabled");
  if (focused) words.push("focused");
  if (bounds && id !== undefined) words.push(`@(${box[0]},${box[1] - offset},${box[2]},${box[3]})`);
  return "  ".repeat(depth) + words.join(" ");
}
