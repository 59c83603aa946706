import { evaluate as evaluateLiteral, setItem } from "../python/arithmetic.ts";
import { PythonError } from "../python/error.ts";
import { ellipsis, type Keyword, type Node } from "../python/node.ts";
import {
  type Arithmetic,
  compare,
  contains,
  isTrue,
  iterate,
  operate,
  subscript,
} from "../python/operators.ts";
import {
  ellipsisObject,
  isEqual,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  typeName,
} from "../python/value.ts";
import type { Arguments } from "./arguments.ts";

/** The names that mean something: those of objects, whose methods can be called. */
export type Scope = {
  hasName(name: string): boolean;
  /** Undefined where there is no such method. */
  method(object: string, name: string): ((given: Arguments) => PythonValue) | undefined;
};

/**
 * The value of an expression of literals, operators and calls of the scope's methods. The original hands such text
 * to `eval`; here no other name means anything, so nothing else can be reached.
 */
export function evaluate(node: Node, scope: Scope): PythonValue {
  const value = (each: Node) => evaluate(each, scope);
  switch (node.kind) {
    case "constant":
      return node.value === ellipsis ? ellipsisObject : node.value;
    case "call":
      return callMethod(node, scope);
    case "name":
      throw unknownName(node.name);
    case "attribute":
      return missingAttribute(node, scope);
    case "list":
      return items(node.items, scope);
    case "tuple":
      return new PythonTuple(items(node.items, scope));
    case "dict":
      return toDict(node, scope);
    case "unary":
      return evaluateLiteral({ ...node, operand: constant(value(node.operand)) });
    case "binary":
      return toBinary(node.operator, value(node.left), value(node.right));
    case "boolean": {
      const isAnd = node.operator === "and";
      let last: PythonValue = null;
      for (const each of node.values) {
        last = value(each);
        if (isTrue(last) !== isAnd) break;
      }
      return last;
    }
    case "compare": {
      let left = value(node.left);
      for (const { operator, right } of node.rest) {
        const other = value(right);
        if (!holds(left, operator, other)) return false;
        left = other;
      }
      return true;
    }
    case "conditional":
      return isTrue(value(node.test)) ? value(node.body) : value(node.otherwise);
    case "subscript":
      return subscript(value(node.value), value(node.index));
    default:
      throw unsupported(`a ${node.kind}`);
  }
}

function callMethod(node: Node & { kind: "call" }, scope: Scope): PythonValue {
  assertDistinct(node.keywords);
  const method = toMethod(node.callee, scope);
  const positional = items(node.positional, scope);
  const keywords = new Map<string, PythonValue>();
  for (const keyword of node.keywords) addKeyword(keywords, keyword, scope);
  return method({ positional, keywords });
}

function toMethod(callee: Node, scope: Scope): (given: Arguments) => PythonValue {
  if (callee.kind === "attribute" && callee.value.kind === "name") {
    const method = scope.method(callee.value.name, callee.name);
    if (method !== undefined) return method;
  }
  const value = evaluate(callee, scope);
  throw new PythonError("TypeError", `'${typeName(value)}' object is not callable`);
}

/** Python's parser refuses a keyword that is repeated, before anything runs. */
function assertDistinct(keywords: readonly Keyword[]): void {
  const names = new Set<string>();
  for (const { name } of keywords) {
    if (name !== null && names.has(name)) {
      throw new PythonError("SyntaxError", `keyword argument repeated: ${name} (<string>, line 1)`);
    }
    if (name !== null) names.add(name);
  }
}

function addKeyword(keywords: Map<string, PythonValue>, { name, value }: Keyword, scope: Scope): void {
  const given = evaluate(value, scope);
  if (name !== null) {
    if (keywords.has(name)) {
      throw new PythonError("TypeError", `got multiple values for keyword argument '${name}'`);
    }
    keywords.set(name, given);
    return;
  }
  if (!(given instanceof Map)) {
    throw new PythonError("TypeError", `argument after ** must be a mapping, not ${typeName(given)}`);
  }
  for (const [key, item] of given) {
    if (typeof key !== "string") throw new PythonError("TypeError", "keywords must be strings");
    if (keywords.has(key)) {
      throw new PythonError("TypeError", `got multiple values for keyword argument '${key}'`);
    }
    keywords.set(key, item);
  }
}

function items(nodes: readonly Node[], scope: Scope): PythonValue[] {
  return nodes.flatMap((node) =>
    node.kind === "starred" ? iterate(evaluate(node.value, scope)) : [evaluate(node, scope)],
  );
}

function toDict(node: Node & { kind: "dict" }, scope: Scope): PythonDict {
  const dict: PythonDict = new Map();
  for (const { key, value } of node.entries) {
    if (key !== undefined) setItem(dict, evaluate(key, scope), evaluate(value, scope));
    else {
      const other = evaluate(value, scope);
      if (!(other instanceof Map))
        throw new PythonError("TypeError", `'${typeName(other)}' object is not a mapping`);
      for (const [name, item] of other) setItem(dict, name, item);
    }
  }
  return dict;
}

const arithmetic = new Set(["+", "-", "*", "/", "//", "%", "**"]);

function toBinary(operator: string, left: PythonValue, right: PythonValue): PythonValue {
  if (arithmetic.has(operator)) return operate(left, operator as Arithmetic, right);
  return evaluateLiteral({ kind: "binary", operator, left: constant(left), right: constant(right) });
}

function holds(left: PythonValue, operator: string, right: PythonValue): boolean {
  switch (operator) {
    case "==":
      return isEqual(left, right);
    case "!=":
      return !isEqual(left, right);
    case "in":
      return contains(right, left);
    case "not in":
      return !contains(right, left);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compare(left, operator, right);
    default:
      // Identity: of what can be written here only None, True and False are one object each.
      return (left === right) === (operator === "is");
  }
}

function missingAttribute(node: Node & { kind: "attribute" }, scope: Scope): never {
  if (node.value.kind === "name" && scope.hasName(node.value.name)) {
    throw unsupported(`an attribute ${node.name}`);
  }
  const value = evaluate(node.value, scope);
  throw new PythonError("AttributeError", `'${typeName(value)}' object has no attribute '${node.name}'`);
}

function constant(value: PythonValue): Node {
  return { kind: "constant", value };
}

function unknownName(name: string): PythonError {
  return new PythonError("NameError", `name '${name}' is not defined`);
}

function unsupported(what: string): PythonError {
  return new PythonError("ValueError", `${what} is not run here`);
}
