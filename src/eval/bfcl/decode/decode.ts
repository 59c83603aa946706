import { PythonError } from "../python/error.ts";
import { strip } from "../python/number.ts";
import type { PythonValue } from "../python/value.ts";
import { decodeJava } from "./java.ts";
import { decodeJavaScript } from "./javascript.ts";
import { decodeJson } from "./json.ts";
import { decodePython } from "./python.ts";
import { decodeConciseXml, decodeVerboseXml } from "./xml.ts";

export const returnFormats = ["python", "json", "verbose_xml", "concise_xml", "java", "javascript"] as const;

/** How the model was asked to write its calls. */
export type ReturnFormat = (typeof returnFormats)[number];

/** What a text decodes to; `failure` says why it does not, in one line. */
export type Decoded = { value: PythonValue; failure?: undefined } | { value?: undefined; failure: string };

/**
 * Decodes a model's text as the original does for prompted models: fences and blanks fall away, missing outer
 * brackets are added, and with `toolCallTag` only what stands in the first `<TOOLCALL>…</TOOLCALL>` counts.
 */
export function decode(text: string, format: ReturnFormat, toolCallTag = false): Decoded {
  try {
    return { value: decodeOrThrow(text, format, toolCallTag) };
  } catch (error) {
    if (error instanceof PythonError) return { failure: `${error.type}: ${error.message}` };
    throw error;
  }
}

/** As `decode`, but a failure is thrown as a `PythonError`. */
export function decodeOrThrow(text: string, format: ReturnFormat, toolCallTag = false): PythonValue {
  const bare = strip(text, "`\n ");
  const opened = bare.startsWith("[") ? bare : `[${bare}`;
  const bracketed = opened.endsWith("]") ? opened : `${opened}]`;
  const input = toolCallTag ? taggedText(bracketed) : bracketed;
  switch (format) {
    case "python":
      return decodePython(input);
    case "json":
      return decodeJson(input);
    case "verbose_xml":
      return decodeVerboseXml(input);
    case "concise_xml":
      return decodeConciseXml(input);
    case "java":
      return decodeJava(withoutEnds(input));
    case "javascript":
      return decodeJavaScript(withoutEnds(input));
  }
}

function taggedText(text: string): string {
  const start = text.indexOf("<TOOLCALL>");
  const end = start < 0 ? -1 : text.indexOf("</TOOLCALL>", start);
  if (end < 0) throw new PythonError("ValueError", "no tool call tag found");
  return strip(text.slice(start + "<TOOLCALL>".length, end));
}

/** `text[1:-1]`: inside of a tag these need not be the brackets. */
function withoutEnds(text: string): string {
  const last = text.length > 1 && (text.codePointAt(text.length - 2) as number) > 0xffff ? 2 : 1;
  const first = (text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(first, Math.max(first, text.length - last));
}
