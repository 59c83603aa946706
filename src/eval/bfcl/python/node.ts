import type { PythonValue } from "./value.ts";

export const ellipsis = Symbol("Ellipsis");

/** An expression of Python, as far as reading and printing calls needs it. */
export type Node =
  | { kind: "constant"; value: PythonValue | typeof ellipsis }
  | { kind: "formatted" }
  | { kind: "name"; name: string }
  | { kind: "attribute"; value: Node; name: string }
  | { kind: "subscript"; value: Node; index: Node }
  | { kind: "slice"; lower?: Node; upper?: Node; step?: Node }
  | { kind: "call"; callee: Node; positional: Node[]; keywords: Keyword[] }
  | { kind: "unary"; operator: string; operand: Node }
  | { kind: "binary"; operator: string; left: Node; right: Node }
  | { kind: "boolean"; operator: string; values: Node[] }
  | { kind: "compare"; left: Node; rest: { operator: string; right: Node }[] }
  | { kind: "conditional"; body: Node; test: Node; otherwise: Node }
  | { kind: "lambda"; parameters: Parameter[]; body: Node }
  | { kind: "list" | "tuple" | "set"; items: Node[] }
  | { kind: "dict"; entries: { key: Node | undefined; value: Node }[] }
  | { kind: "starred"; value: Node }
  | { kind: "assignment"; name: string; value: Node }
  | { kind: "await"; value: Node }
  | { kind: "yield"; isFrom: boolean; value: Node | undefined }
  | {
      kind: "comprehension";
      shape: "list" | "set" | "dict" | "generator";
      key: Node;
      value?: Node;
      loops: Loop[];
    };

/** `name=value`, or `**value` where the name is null. */
export type Keyword = { name: string | null; value: Node };
export type Parameter = { mark: "" | "*" | "**" | "/"; name: string; initial: Node | undefined };
export type Loop = { isAsync: boolean; target: Node; source: Node; conditions: Node[] };

/** Whether something can be assigned to it. */
export function isTarget(node: Node): boolean {
  if (node.kind === "starred") return isTarget(node.value);
  if (node.kind === "tuple" || node.kind === "list") return node.items.every(isTarget);
  return node.kind === "name" || node.kind === "attribute" || node.kind === "subscript";
}
