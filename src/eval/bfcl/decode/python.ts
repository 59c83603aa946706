import { evaluate, negate, setItem } from "../python/arithmetic.ts";
import { PythonError } from "../python/error.ts";
import { ellipsis, type Node } from "../python/node.ts";
import { strip } from "../python/number.ts";
import { parseExpression } from "../python/syntax.ts";
import { unparse } from "../python/unparse.ts";
import { type PythonDict, PythonTuple, type PythonValue } from "../python/value.ts";

/**
 * Calls written in Python as `[{name: {parameter: value}}, …]`. Quirks of the original that verdicts depend on are
 * kept: every sign negates, names become texts, positional arguments disappear, a repeated keyword keeps its last value.
 */
export function decodePython(text: string): PythonValue {
  const node = parseExpression(strip(strip(text), "'"));
  if (node.kind === "call") return [toCall(node)];
  if (node.kind !== "list" && node.kind !== "tuple" && node.kind !== "set") {
    throw new PythonError("AttributeError", `a ${node.kind} has no attribute 'elts'`);
  }
  return node.items.map((item) => {
    if (item.kind !== "call") throw new PythonError("AssertionError", `a ${item.kind} is not a call`);
    return toCall(item);
  });
}

function toCall(node: Node & { kind: "call" }): PythonDict {
  const parameters: PythonDict = new Map();
  for (const { name, value } of node.keywords) parameters.set(name, toValue(value));
  return new Map([[nameOf(node.callee), parameters]]);
}

/** The dotted name; where it starts from anything but a name (a call, a text), only what follows is left. */
function nameOf(callee: Node): string {
  const parts: string[] = [];
  let node = callee;
  for (; node.kind === "attribute"; node = node.value) parts.push(node.name);
  if (node.kind === "name") parts.push(node.name);
  return parts.reverse().join(".");
}

function toValue(node: Node): PythonValue {
  switch (node.kind) {
    case "constant":
      return node.value === ellipsis ? "..." : node.value;
    case "unary":
      if (node.operand.kind === "constant" && node.operand.value !== ellipsis)
        return negate(node.operand.value);
      throw unsupported(node);
    case "list":
      return node.items.map(toValue);
    case "tuple":
      return new PythonTuple(node.items.map(toValue));
    case "dict": {
      const dict: PythonDict = new Map();
      for (const { key, value } of node.entries) {
        if (key === undefined) throw unsupported(node);
        setItem(dict, toValue(key), toValue(value));
      }
      return dict;
    }
    case "binary":
      return evaluate(node);
    case "name":
      return node.name;
    case "call":
      return node.keywords.length === 0 ? unparse(node) : toCall(node);
    case "subscript":
      return `${unparse(node.value)}[${unparse(node.index)}]`;
    default:
      throw unsupported(node);
  }
}

function unsupported(node: Node): PythonError {
  return new PythonError("Exception", `unsupported in an argument: ${node.kind}`);
}
