import { parseHTML } from "linkedom";
import TurndownService from "turndown";

/** A page as Markdown. Its scripts and styles are not part of it. */
export function toMarkdown(html: string): string {
  const service = new TurndownService({ headingStyle: "atx", bulletListMarker: "*" });
  service.remove(["script", "style", "title"]);
  return service.turndown(wholePage(html));
}

/** The text of a page without scripts and styles: each piece on a line of its own, without the spaces around it. */
export function toPlainText(html: string): string {
  const { document } = parseHTML(wholePage(html));
  const pieces: string[] = [];
  const walk = (node: Readonly<Piece>): void => {
    if (node.nodeType === textNode) {
      const text = node.textContent?.trim();
      if (text) pieces.push(text);
    } else if (!unread.has(node.nodeName)) for (const child of node.childNodes) walk(child);
  };
  walk(document as unknown as Piece);
  return pieces.join("\n");
}

type Piece = { nodeType: number; nodeName: string; textContent: string | null; childNodes: Iterable<Piece> };

const textNode = 3;
const unread = new Set(["SCRIPT", "STYLE"]);

/** A fragment becomes a page, so that text outside of every element is found. */
const wholePage = (html: string) =>
  /<(?:html|body)[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`;
