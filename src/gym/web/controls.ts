// What the controls of a form hold and do. In memory that is kept in their attributes.
import { isDate } from "./fields.ts";
import { textOf } from "./html.ts";
import type { PageElement } from "./read-page.ts";

/** A control by its type, any other element by its tag. */
export function kindOf(element: PageElement): string {
  const tag = element.tagName.toLowerCase();
  return tag === "input" ? (element.getAttribute("type") ?? "text") : tag;
}

/** What a field holds: its text, or that of the selected option. */
export function heldBy(element: PageElement): string {
  if (element.tagName === "TEXTAREA") return element.textContent ?? "";
  if (element.tagName !== "SELECT") return element.getAttribute("value") ?? "";
  const options = [...element.querySelectorAll("option")];
  return options[selectedIndex(options)]?.textContent ?? "";
}

/** The parser leaves escapes in a textarea, and the line break after its tag, neither of which is part of its text. */
export function readArea(area: PageElement): void {
  area.textContent = textOf((area.textContent ?? "").replace(/^\n/, ""));
}

/** Writes into a field; what is no date does not stay in a date. */
export function setText(element: PageElement, text: string): void {
  if (element.tagName === "TEXTAREA") element.textContent = text;
  else if (kindOf(element) !== "date" || text === "" || isDate(text)) element.setAttribute("value", text);
}

/** The first option is the selected one where none says so. */
export const selectedIndex = (options: readonly PageElement[]) =>
  Math.max(
    0,
    options.findLastIndex((option) => option.hasAttribute("selected")),
  );

/** Selects an option, and no other. */
export function choose(select: PageElement, option: PageElement): void {
  for (const other of select.querySelectorAll("option")) other.removeAttribute("selected");
  option.setAttribute("selected", "");
}

/** Sets an attribute that says yes by being there, or takes it away. */
export const toggle = (element: PageElement, attribute: string) =>
  element.hasAttribute(attribute) ? element.removeAttribute(attribute) : element.setAttribute(attribute, "");

/** The radio buttons of a form of which one can be checked. */
export function radioGroup(radio: PageElement): PageElement[] {
  const name = radio.getAttribute("name");
  const scope = radio.closest("form");
  return scope ? [...scope.querySelectorAll(`input[type="radio"][name="${name}"]`)] : [radio];
}

/** Of a group of radio buttons Tab stops at the checked one only, or at any while none is. */
export function isTabStop(element: PageElement): boolean {
  if (element.hasAttribute("disabled") || element.closest("[inert]") || kindOf(element) === "hidden")
    return false;
  const menu = element.closest("details");
  if (menu && !menu.hasAttribute("open") && element.tagName !== "SUMMARY") return false;
  if (kindOf(element) !== "radio" || element.hasAttribute("checked")) return true;
  return !radioGroup(element).some((other) => other.hasAttribute("checked"));
}

/** What a form sends: names and values in the order of the page. */
export function successfulControls(form: PageElement, button?: PageElement): [string, string][] {
  return [...form.querySelectorAll("input,select,textarea,button")].flatMap((element): [string, string][] => {
    const name = element.getAttribute("name");
    if (name === null || element.hasAttribute("disabled")) return [];
    const kind = kindOf(element);
    if (kind === "button") return element === button ? [[name, element.getAttribute("value") ?? ""]] : [];
    if ((kind === "checkbox" || kind === "radio") && !element.hasAttribute("checked")) return [];
    if (kind === "select") {
      const options = [...element.querySelectorAll("option")];
      return [[name, options[selectedIndex(options)]?.getAttribute("value") ?? ""]];
    }
    return [[name, heldBy(element).replaceAll("\n", "\r\n")]];
  });
}
