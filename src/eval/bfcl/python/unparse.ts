import { PythonError } from "./error.ts";
import { ellipsis, type Loop, type Node, type Parameter } from "./node.ts";
import { repr } from "./text.ts";
import { PythonComplex } from "./value.ts";

// From the loosest to the tightest, as CPython's own unparser orders them.
const tuple = 1;
const yielded = 2;
const test = 3;
const or = 4;
const and = 5;
const not = 6;
const compared = 7;
const either = 8;
const factor = 14;
const power = 15;
const awaited = 16;
const atom = 17;

const binaryPrecedence: Record<string, number> = {
  "|": either,
  "^": 9,
  "&": 10,
  "<<": 11,
  ">>": 11,
  "+": 12,
  "-": 12,
  "*": 13,
  "@": 13,
  "/": 13,
  "%": 13,
  "//": 13,
  "**": power,
};

/** The source text of an expression as `ast.unparse` of Python 3.11 writes it. */
export function unparse(node: Node, around = test): string {
  const within = (precedence: number, text: string) => (around > precedence ? `(${text})` : text);
  switch (node.kind) {
    case "constant":
      return constantText(node.value);
    case "formatted":
      throw new PythonError("NotImplementedError", "a formatted string cannot be printed back");
    case "name":
      return node.name;
    case "attribute": {
      const isInteger =
        node.value.kind === "constant" && ["bigint", "boolean"].includes(typeof node.value.value);
      return `${unparse(node.value, atom)}${isInteger ? " " : ""}.${node.name}`;
    }
    case "subscript": {
      const index = node.index;
      const isBare = index.kind === "tuple" && index.items.length > 0;
      return `${unparse(node.value, atom)}[${isBare ? itemsText(index.items) : unparse(index)}]`;
    }
    case "slice": {
      const step = node.step === undefined ? "" : `:${unparse(node.step)}`;
      return `${node.lower ? unparse(node.lower) : ""}:${node.upper ? unparse(node.upper) : ""}${step}`;
    }
    case "call": {
      const keywords = node.keywords.map(({ name, value }) =>
        name === null ? `**${unparse(value)}` : `${name}=${unparse(value)}`,
      );
      return `${unparse(node.callee, atom)}(${[...node.positional.map((each) => unparse(each)), ...keywords].join(", ")})`;
    }
    case "unary": {
      const precedence = node.operator === "not" ? not : factor;
      const gap = node.operator === "not" ? " " : "";
      return within(precedence, `${node.operator}${gap}${unparse(node.operand, precedence)}`);
    }
    case "binary": {
      const precedence = binaryPrecedence[node.operator] as number;
      const [left, right] =
        node.operator === "**" ? [precedence + 1, precedence] : [precedence, precedence + 1];
      return within(precedence, `${unparse(node.left, left)} ${node.operator} ${unparse(node.right, right)}`);
    }
    case "boolean": {
      const precedence = node.operator === "or" ? or : and;
      // The original raises the level with every operand.
      const values = node.values.map((value, index) =>
        unparse(value, Math.min(precedence + index + 1, atom)),
      );
      return within(precedence, values.join(` ${node.operator} `));
    }
    case "compare": {
      const rest = node.rest.map(({ operator, right }) => ` ${operator} ${unparse(right, compared + 1)}`);
      return within(compared, unparse(node.left, compared + 1) + rest.join(""));
    }
    case "conditional":
      return within(
        test,
        `${unparse(node.body, or)} if ${unparse(node.test, or)} else ${unparse(node.otherwise)}`,
      );
    case "lambda": {
      const parameters = parametersText(node.parameters);
      return within(test, `lambda${parameters === "" ? "" : ` ${parameters}`}: ${unparse(node.body)}`);
    }
    case "list":
      return `[${node.items.map((item) => unparse(item)).join(", ")}]`;
    case "set":
      return `{${node.items.map((item) => unparse(item)).join(", ")}}`;
    case "tuple":
      return node.items.length === 0 || around > tuple ? `(${itemsText(node.items)})` : itemsText(node.items);
    case "dict":
      return `{${node.entries.map(({ key, value }) => (key === undefined ? `**${unparse(value, either)}` : `${unparse(key)}: ${unparse(value)}`)).join(", ")}}`;
    case "starred":
      return `*${unparse(node.value, either)}`;
    case "assignment":
      return within(0, `${node.name} := ${unparse(node.value, atom)}`);
    case "await":
      return within(awaited, `await ${unparse(node.value, atom)}`);
    case "yield": {
      const word = node.isFrom ? "yield from" : "yield";
      return within(yielded, node.value === undefined ? word : `${word} ${unparse(node.value, atom)}`);
    }
    case "comprehension": {
      const [open, close] = { list: "[]", set: "{}", dict: "{}", generator: "()" }[node.shape] as unknown as [
        string,
        string,
      ];
      const value = node.value === undefined ? "" : `: ${unparse(node.value)}`;
      return `${open}${unparse(node.key)}${value}${node.loops.map(loopText).join("")}${close}`;
    }
  }
}

function constantText(value: (Node & { kind: "constant" })["value"]): string {
  if (value === ellipsis) return "...";
  const text = repr(value);
  const isFloat = typeof value === "number" || value instanceof PythonComplex;
  return isFloat ? text.replaceAll("inf", "1e309").replaceAll("nan", "(1e309-1e309)") : text;
}

function itemsText(items: readonly Node[]): string {
  return items.length === 1 ? `${unparse(items[0] as Node)},` : items.map((item) => unparse(item)).join(", ");
}

function loopText({ isAsync, target, source, conditions }: Loop): string {
  const tail = conditions.map((condition) => ` if ${unparse(condition, or)}`).join("");
  return ` ${isAsync ? "async " : ""}for ${unparse(target, tuple)} in ${unparse(source, or)}${tail}`;
}

function parametersText(parameters: readonly Parameter[]): string {
  return parameters
    .map(({ mark, name, initial }) => `${mark}${name}${initial === undefined ? "" : `=${unparse(initial)}`}`)
    .join(", ");
}
