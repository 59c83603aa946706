import type { Box, PageNode } from "./page.ts";

/** As much of a DOM element as both browsers have. */
export interface PageElement {
  readonly tagName: string;
  textContent: string | null;
  readonly children: Iterable<PageElement>;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  hasAttribute(name: string): boolean;
  closest(selector: string): PageElement | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

export interface PageDocument {
  readonly body: PageElement;
  querySelector(selector: string): PageElement | null;
}

/** What only a browser knows of an element. */
export type Senses = {
  box(element: PageElement): Box;
  value(element: PageElement): string;
  checked(element: PageElement): boolean;
  focused(element: PageElement): boolean;
};

/**
 * The accessibility tree of a page as lines, and numbers written on what can be acted upon (`data-element`). Roles and
 * names follow HTML-AAM and the accessible name computation as far as the sites use them; a row is told as its
 * cells, where a control stands for a cell's text by its number.
 *
 * This function runs in both browsers, so it refers to nothing outside of itself.
 */
export function readPage(document: PageDocument, senses: Senses): PageNode[] {
  const groups: Record<string, string> = {
    nav: "navigation",
    dialog: "dialog",
    table: "table",
    ul: "list",
    details: "menu",
  };
  const texts: Record<string, string> = { h1: "heading", h2: "heading", p: "text", span: "text", label: "" };
  const nodes: PageNode[] = [];
  let lastId = 0;

  const clean = (text: string | null) => (text ?? "").replace(/\s+/g, " ").trim();

  const nameOf = (element: PageElement): string => {
    const given = element.getAttribute("aria-label");
    if (given !== null) return clean(given);
    const id = element.getAttribute("id");
    const label = id === null ? null : document.querySelector(`label[for="${id}"]`);
    if (label) return clean(label.textContent);
    const isField = /^(?:INPUT|SELECT|TEXTAREA)$/.test(element.tagName);
    return isField ? "" : clean(element.textContent);
  };

  /** A form's default button, if Enter in a field would press it. */
  const hasDefault = (element: PageElement) => {
    const button = element.closest("form")?.querySelector("button");
    return button !== null && button !== undefined && !button.hasAttribute("disabled");
  };

  const roleOf = (element: PageElement): string | undefined => {
    switch (element.tagName) {
      case "A":
        return "link";
      case "BUTTON":
        return "button";
      case "SUMMARY":
        return "disclosure";
      case "SELECT":
        return "combobox";
      case "TEXTAREA":
        return "textbox";
      case "INPUT": {
        const type = element.getAttribute("type") ?? "text";
        return type === "text" ? "textbox" : type;
      }
      default:
        return undefined;
    }
  };

  const addControl = (element: PageElement, role: string, depth: number) => {
    const id = ++lastId;
    element.setAttribute("data-element", String(id));
    const node: PageNode = { depth, role, name: nameOf(element), box: senses.box(element), id };
    if (role === "textbox" || role === "date") node.value = senses.value(element);
    if (role === "combobox") {
      node.value = senses.value(element);
      node.options = [...element.querySelectorAll("option")].map((option) => clean(option.textContent));
    }
    if (role === "checkbox" || role === "radio") node.checked = senses.checked(element);
    if (role === "disclosure") node.expanded = element.closest("details")?.hasAttribute("open") ?? false;
    if (element.tagName === "TEXTAREA") node.multiline = true;
    if (element.hasAttribute("disabled")) node.disabled = true;
    if (senses.focused(element)) node.focused = true;
    if (role === "link") node.leads = true;
    if (role === "button") node.leads = element.closest("form") !== null;
    // Enter in a field sends its form
    if (/^(?:textbox|checkbox|radio)$/.test(role) && !node.multiline) node.leads = hasDefault(element);
    nodes.push(node);
    return node;
  };

  /** A row or list item: its text with numbers for controls, and below it the controls. */
  const addRow = (element: PageElement, role: string, depth: number) => {
    const row: PageNode = { depth, role, name: "", box: senses.box(element) };
    nodes.push(row);
    const cells: string[] = [];
    for (const cell of element.children) {
      const before = lastId;
      visit(cell, depth + 1, true);
      const numbers: string[] = [];
      for (let id = before + 1; id <= lastId; id++) numbers.push(`[${id}]`);
      cells.push(numbers.length > 0 ? numbers.join(" ") : clean(cell.textContent));
    }
    row.name = cells.join(" | ");
  };

  const visit = (element: PageElement, depth: number, isCell = false): void => {
    if (element.hasAttribute("inert") || element.getAttribute("type") === "hidden") return;
    const tag = element.tagName.toLowerCase();
    const role = roleOf(element);
    if (role) {
      addControl(element, role, depth);
      return;
    }
    if (tag === "tr" || tag === "li") {
      addRow(element, tag === "tr" ? "row" : "listitem", depth);
      return;
    }
    const text = texts[tag];
    if (text !== undefined) {
      const name = clean(element.textContent);
      const spoken = element.getAttribute("role") ?? text;
      if (spoken !== "" && name !== "" && !isCell)
        nodes.push({ depth, role: spoken, name, box: senses.box(element) });
      return;
    }
    const isNamed = element.hasAttribute("aria-label");
    const group = element.getAttribute("role") ?? (tag === "form" && isNamed ? "form" : groups[tag]);
    const isGroup = group !== undefined && group !== "menu";
    if (isGroup)
      nodes.push({
        depth,
        role: group,
        name: isNamed ? nameOf(element) : "",
        box: senses.box(element),
      });
    const isClosed = tag === "details" && !element.hasAttribute("open");
    for (const child of element.children)
      if (!isClosed || child.tagName === "SUMMARY")
        visit(child, depth + (isGroup || (tag === "details" && child.tagName !== "SUMMARY") ? 1 : 0));
  };

  for (const child of document.body.children) visit(child, 0);
  return nodes;
}
