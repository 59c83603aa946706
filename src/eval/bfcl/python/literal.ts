import { negate, setItem } from "./arithmetic.ts";
import { PythonError } from "./error.ts";
import { ellipsis, type Node } from "./node.ts";
import { parseExpression } from "./syntax.ts";
import { PythonComplex, type PythonDict, PythonTuple, type PythonValue } from "./value.ts";

/** `ast.literal_eval(text)`. */
export function readLiteral(text: string): PythonValue {
  return toLiteral(parseExpression(text.replace(/^[ \t]+/, "")));
}

function toLiteral(node: Node): PythonValue {
  switch (node.kind) {
    case "constant":
      if (node.value === ellipsis) throw malformed(node);
      return node.value;
    case "list":
      return node.items.map(toLiteral);
    case "tuple":
      return new PythonTuple(node.items.map(toLiteral));
    case "dict": {
      const dict: PythonDict = new Map();
      for (const { key, value } of node.entries) {
        if (key === undefined) throw malformed(node);
        setItem(dict, toLiteral(key), toLiteral(value));
      }
      return dict;
    }
    case "unary":
      return toSigned(node);
    case "binary":
      return toComplexSum(node);
    default:
      throw malformed(node);
  }
}

function toSigned(node: Node): PythonValue {
  if (node.kind !== "unary" || (node.operator !== "-" && node.operator !== "+")) return toNumber(node);
  const value = toNumber(node.operand);
  return node.operator === "-" ? negate(value) : value;
}

function toNumber(node: Node): bigint | number | PythonComplex {
  const value = node.kind === "constant" ? node.value : undefined;
  if (typeof value === "bigint" || typeof value === "number" || value instanceof PythonComplex) return value;
  throw malformed(node);
}

/** `1 + 2j`: the only sum that is a literal. */
function toComplexSum(node: Node & { kind: "binary" }): PythonValue {
  const left = toSigned(node.left);
  const right = toNumber(node.right);
  if (!(right instanceof PythonComplex) || left instanceof PythonComplex) throw malformed(node);
  if (node.operator !== "+" && node.operator !== "-") throw malformed(node);
  const sign = node.operator === "+" ? 1 : -1;
  return new PythonComplex(Number(left), sign * right.imaginary);
}

function malformed(node: Node): PythonError {
  return new PythonError("ValueError", `malformed node or string: ${node.kind}`);
}
