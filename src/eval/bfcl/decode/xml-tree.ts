import { PythonError } from "../python/error.ts";

/** An element with its text up to the first child, as `ElementTree` keeps it. */
export type Element = { tag: string; attributes: Map<string, string>; text: string; children: Element[] };

const deepestElements = 100_000;
const nameStart = "[\\p{L}_:]";
const name = `${nameStart}[\\p{L}\\p{N}\\p{M}_:.·-]*`;
const startTag = new RegExp(`<(${name})`, "uy");
const attribute = new RegExp(
  `[ \\t\\r\\n]+(${name})[ \\t\\r\\n]*=[ \\t\\r\\n]*(?:"([^"<]*)"|'([^'<]*)')`,
  "uy",
);
const tagEnd = /[ \t\r\n]*(\/?)>/y;
const endTag = new RegExp(`</(${name})[ \\t\\r\\n]*>`, "uy");
const entities = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** Reads one XML element without a prologue, strictly; throws a `ParseError`. Without recursion. */
export function readXml(source: string): Element {
  const text = source.replace(/\r\n?/g, "\n");
  const open: Element[] = [];
  let root: Element | undefined;
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const skipTo = (marker: string, from: number): string => {
    const end = text.indexOf(marker, from);
    if (end < 0) throw broken("unclosed token");
    at = end + marker.length;
    return text.slice(from, end);
  };
  while (root === undefined || open.length > 0) {
    const parent = open.at(-1);
    const next = text.indexOf("<", at);
    if (next < 0) throw broken("no element found");
    if (next > at) addText(parent, text.slice(at, next));
    at = next;
    if (text.startsWith("<!--", at)) {
      if (skipTo("-->", at + 4).includes("--")) throw broken("not well-formed comment");
    } else if (text.startsWith("<![CDATA[", at)) {
      const content = skipTo("]]>", at + 9);
      if (parent !== undefined && parent.children.length === 0) parent.text += checked(content);
    } else if (text.startsWith("<?", at)) {
      if (!/^[\p{L}_:]/u.test(skipTo("?>", at + 2))) throw broken("not well-formed");
    } else if (text.startsWith("</", at)) {
      if (match(endTag)?.[1] !== parent?.tag) throw broken("mismatched tag");
      open.pop();
    } else {
      const tag = match(startTag)?.[1];
      if (tag === undefined) throw broken("not well-formed");
      const attributes = new Map<string, string>();
      for (let pair = match(attribute); pair !== null; pair = match(attribute)) {
        if (attributes.has(pair[1] as string)) throw broken("duplicate attribute");
        attributes.set(pair[1] as string, resolve((pair[2] ?? pair[3] ?? "").replace(/[\t\n]/g, " ")));
      }
      const end = match(tagEnd);
      if (end === null) throw broken("not well-formed");
      const element: Element = { tag, attributes, text: "", children: [] };
      parent?.children.push(element);
      root ??= element;
      if (end[1] === "") open.push(element);
      if (open.length > deepestElements) throw broken("nested too deep");
    }
  }
  return root;
}

function addText(parent: Element | undefined, raw: string): void {
  if (raw.includes("]]>")) throw broken("not well-formed");
  const text = resolve(raw);
  if (parent === undefined) {
    if (/[^ \t\n]/.test(text)) throw broken("text outside of the element");
  } else if (parent.children.length === 0) parent.text += text;
}

/** Replaces entities and refuses characters that XML has no place for. */
function resolve(raw: string): string {
  return checked(raw).replace(
    /&(#x[0-9a-fA-F]+;|#[0-9]+;|[\p{L}_:][^;&<\s]*;)?/gu,
    (_, reference?: string) => {
      if (reference === undefined) throw broken("not well-formed");
      const body = reference.slice(0, -1);
      if (!body.startsWith("#")) {
        const character = entities.get(body);
        if (character === undefined) throw broken("undefined entity");
        return character;
      }
      const code = body[1] === "x" ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
      if (!(code <= 0x10ffff)) throw broken("reference to invalid character number");
      return checked(String.fromCodePoint(code));
    },
  );
}

function checked(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text) || !text.isWellFormed())
    throw broken("invalid token");
  return text;
}

function broken(message: string): PythonError {
  return new PythonError("ParseError", message);
}
