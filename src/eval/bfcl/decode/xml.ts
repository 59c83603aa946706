import { PythonError } from "../python/error.ts";
import { readLiteral } from "../python/literal.ts";
import { parseFloating, parseInteger, strip } from "../python/number.ts";
import type { PythonDict, PythonValue } from "../python/value.ts";
import { type Element, readXml } from "./xml-tree.ts";

/** `<functions><function name><params><param name value type/></params></function></functions>` */
export function decodeVerboseXml(text: string): PythonValue {
  return readFunctions(text).map((each) => {
    const container = each.children.find((child) => child.tag === "params") ?? each;
    const parameters: PythonDict = new Map();
    for (const parameter of parametersOf(container)) {
      const { attributes } = parameter;
      parameters.set(
        attributes.get("name") ?? null,
        convert(attributes.get("value") ?? "", typeOf(parameter)),
      );
    }
    return new Map([[nameOf(each), parameters]]);
  });
}

/** `<functions><function name><param name type>value</param></function></functions>` */
export function decodeConciseXml(text: string): PythonValue {
  return readFunctions(text).map((each) => {
    const parameters: PythonDict = new Map();
    for (const parameter of parametersOf(each)) {
      parameters.set(nameOf(parameter), convert(strip(parameter.text), typeOf(parameter)));
    }
    return new Map([[nameOf(each), parameters]]);
  });
}

function readFunctions(text: string): Element[] {
  const start = text.indexOf("<functions>");
  const end = start < 0 ? -1 : text.indexOf("</functions>", start);
  if (end < 0) throw new PythonError("ValueError", "no <functions> element");
  return readXml(text.slice(start, end + "</functions>".length)).children.filter(
    (child) => child.tag === "function",
  );
}

function parametersOf(element: Element): Element[] {
  return element.children.filter((child) => child.tag === "param");
}

function nameOf(element: Element): string {
  const name = element.attributes.get("name");
  if (name === undefined) throw new PythonError("KeyError", "name");
  return name;
}

function typeOf(element: Element): string {
  return element.attributes.get("type") ?? "string";
}

function convert(text: string, type: string): PythonValue {
  switch (type) {
    case "integer":
      return parseInteger(text);
    case "float":
      return parseFloating(text);
    case "boolean":
      return text.toLowerCase() === "true";
    case "null":
      return null;
    case "array":
    case "tuple":
    case "object":
    case "dict":
      return readLiteral(text);
    default:
      return text;
  }
}
