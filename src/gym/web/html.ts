/** Markup that is safe to put into a page. */
export type Html = { readonly markup: string };

type Part = Html | string | number | false | undefined | readonly Html[];

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const toMarkup = (part: Part): string => {
  if (part === false || part === undefined) return "";
  if (typeof part === "string") return part.replace(/[&<>"]/g, (character) => escapes[character]!);
  if (typeof part === "number") return String(part);
  return "markup" in part ? part.markup : part.map(({ markup }) => markup).join("");
};

/** The text that markup made of text stands for. */
export const textOf = (markup: string): string =>
  markup.replace(
    /&(?:amp|lt|gt|quot);/g,
    (written) => Object.keys(escapes).find((character) => escapes[character] === written)!,
  );

/** Markup from a template. Whatever stands in it that is not markup itself is text, and cannot become anything else. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return {
    markup: strings.reduce((markup, string, index) => markup + toMarkup(parts[index - 1]) + string),
  };
}
