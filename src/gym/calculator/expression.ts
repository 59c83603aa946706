import { ToolError } from "../../spec/tool.ts";

const operation = /^\s*(-?\d{1,12})\s*([+*-])\s*(-?\d{1,12})\s*$/;

/** One operation on two whole numbers. Anything else is the caller's mistake. */
export function evaluate(expression: string): number {
  const match = operation.exec(expression);
  if (!match) throw new ToolError("expected one operation on two numbers, like 12*7");
  const [a, b] = [Number(match[1]), Number(match[3])];
  const result = match[2] === "+" ? a + b : match[2] === "-" ? a - b : a * b;
  if (!Number.isSafeInteger(result)) throw new ToolError("the result is too large");
  return result;
}
