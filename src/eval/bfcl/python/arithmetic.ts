import { PythonError } from "./error.ts";
import { ellipsis, type Node } from "./node.ts";
import {
  dictSet,
  PythonBytes,
  PythonComplex,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  typeName,
} from "./value.ts";

/** Results longer than this are refused: a literal of a few signs must not fill the memory. */
const mostBits = 1_000_000;
const mostItems = 1_000_000;

/**
 * The value of arithmetic between literals. The original hands such text to `eval`; here nothing is run: numbers,
 * texts, bytes, lists, tuples and dicts are joined by operators, and a name or a call is an error.
 */
export function evaluate(node: Node): PythonValue {
  switch (node.kind) {
    case "constant":
      if (node.value === ellipsis) throw new PythonError("TypeError", "unsupported operand: ellipsis");
      return node.value;
    case "unary":
      return applyUnary(node.operator, evaluate(node.operand));
    case "binary":
      return applyBinary(node.operator, evaluate(node.left), evaluate(node.right));
    case "list":
      return node.items.map(evaluate);
    case "tuple":
      return new PythonTuple(node.items.map(evaluate));
    case "dict": {
      const dict: PythonDict = new Map();
      for (const { key, value } of node.entries) {
        if (key === undefined) throw notLiteral("** in a dict");
        setItem(dict, evaluate(key), evaluate(value));
      }
      return dict;
    }
    case "conditional":
      return isTrue(evaluate(node.test)) ? evaluate(node.body) : evaluate(node.otherwise);
    case "name":
      throw new PythonError("NameError", `name '${node.name}' is not defined`);
    default:
      throw notLiteral(`a ${node.kind}`);
  }
}

/** `dict[key] = value`, where the key must be hashable. */
export function setItem(dict: PythonDict, key: PythonValue, value: PythonValue): void {
  if (!isHashable(key)) throw new PythonError("TypeError", `unhashable type: '${typeName(key)}'`);
  dictSet(dict, key, value);
}

function isHashable(value: PythonValue): boolean {
  if (value instanceof PythonTuple) return value.items.every(isHashable);
  return !Array.isArray(value) && !(value instanceof Map);
}

function isTrue(value: PythonValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (value instanceof PythonTuple) return value.items.length > 0;
  if (value instanceof PythonBytes) return value.text !== "";
  return value instanceof PythonComplex ? value.real !== 0 || value.imaginary !== 0 : Boolean(value);
}

/** `-value`: what the decoder makes of every sign before a literal. */
export function negate(value: PythonValue): PythonValue {
  return applyUnary("-", value);
}

function applyUnary(operator: string, value: PythonValue): PythonValue {
  if (operator === "not") return !isTrue(value);
  if (value instanceof PythonComplex && operator !== "~") {
    return operator === "-" ? new PythonComplex(-value.real, -value.imaginary) : value;
  }
  const number = toNumber(value);
  if (typeof number === "bigint") return operator === "-" ? -number : operator === "~" ? ~number : number;
  if (number === undefined || operator === "~") throw unsupported(operator, value);
  return operator === "-" ? -number : number;
}

function applyBinary(operator: string, left: PythonValue, right: PythonValue): PythonValue {
  const [a, b] = [toNumber(left), toNumber(right)];
  if (typeof left === "boolean" && typeof right === "boolean" && "&|^".includes(operator)) {
    return operator === "&" ? left && right : operator === "|" ? left || right : left !== right;
  }
  if (typeof a === "bigint" && typeof b === "bigint") return integerResult(operator, a, b);
  if (a !== undefined && b !== undefined) return floatResult(operator, toFloat(a), toFloat(b));
  if (left instanceof PythonComplex || right instanceof PythonComplex)
    return complexResult(operator, left, right);
  if (operator === "+") return joined(left, right);
  if (operator === "*" && typeof b === "bigint") return repeated(left, b);
  if (operator === "*" && typeof a === "bigint") return repeated(right, a);
  if (operator === "|" && left instanceof Map && right instanceof Map) {
    const dict = new Map(left);
    for (const [key, value] of right) dictSet(dict, key, value);
    return dict;
  }
  throw unsupported(operator, left);
}

function integerResult(operator: string, a: bigint, b: bigint): PythonValue {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      if (b === 0n) throw divisionByZero();
      return divided(a, b);
    case "//":
      return floorDivided(a, b);
    case "%":
      return a - floorDivided(a, b) * b;
    case "**":
      if (b < 0n) return floatResult("**", toFloat(a), toFloat(b));
      if (BigInt(a.toString(2).length) * b > mostBits && a !== 1n && a !== 0n && a !== -1n) throw tooLarge();
      return a ** b;
    case "<<":
    case ">>":
      if (b < 0n) throw new PythonError("ValueError", "negative shift count");
      if (operator === "<<" && b > mostBits && a !== 0n) throw tooLarge();
      return operator === "<<" ? a << b : a >> b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      throw unsupported(operator, a);
  }
}

function floorDivided(a: bigint, b: bigint): bigint {
  if (b === 0n) throw divisionByZero();
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** True division of integers is rounded once, so large ones keep 64 spare bits in the quotient. */
function divided(a: bigint, b: bigint): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isSafeInteger(x) && Number.isSafeInteger(y)) return x / y;
  const [size, divisor] = [a < 0n ? -a : a, b < 0n ? -b : b];
  const shift = BigInt(Math.max(0, divisor.toString(2).length - size.toString(2).length + 66));
  const quotient = ((size << shift) / divisor) | ((size << shift) % divisor === 0n ? 0n : 1n);
  const result = Number(quotient) / 2 ** Number(shift);
  if (!Number.isFinite(result))
    throw new PythonError("OverflowError", "integer division result too large for a float");
  return a < 0n !== b < 0n ? -result : result;
}

function floatResult(operator: string, a: number, b: number): PythonValue {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      if (b === 0) throw divisionByZero();
      return a / b;
    case "//":
    case "%": {
      if (b === 0) throw divisionByZero();
      let rest = a % b;
      let quotient = (a - rest) / b;
      if (rest !== 0 && rest < 0 !== b < 0) {
        rest += b;
        quotient -= 1;
      }
      if (operator === "%") return rest === 0 ? (b < 0 ? -0 : 0) : rest;
      const whole = Math.floor(quotient);
      return quotient - whole > 0.5 ? whole + 1 : whole;
    }
    case "**": {
      if (a === 0 && b < 0) throw divisionByZero();
      if (a < 0 && !Number.isInteger(b)) throw notLiteral("a complex power");
      const result = a === 1 ? 1 : a ** b;
      if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
        throw new PythonError("OverflowError", "Numerical result out of range");
      }
      return result;
    }
    default:
      throw unsupported(operator, a);
  }
}

function complexResult(operator: string, left: PythonValue, right: PythonValue): PythonValue {
  const [a, b] = [toComplex(left), toComplex(right)];
  if (operator === "+") return new PythonComplex(a.real + b.real, a.imaginary + b.imaginary);
  if (operator === "-") return new PythonComplex(a.real - b.real, a.imaginary - b.imaginary);
  if (operator === "*") {
    const real = a.real * b.real - a.imaginary * b.imaginary;
    return new PythonComplex(real, a.real * b.imaginary + a.imaginary * b.real);
  }
  throw unsupported(operator, left);
}

function joined(left: PythonValue, right: PythonValue): PythonValue {
  if (typeof left === "string" && typeof right === "string") return left + right;
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (left instanceof PythonTuple && right instanceof PythonTuple)
    return new PythonTuple([...left.items, ...right.items]);
  if (left instanceof PythonBytes && right instanceof PythonBytes)
    return new PythonBytes(left.text + right.text);
  throw unsupported("+", left);
}

function repeated(value: PythonValue, times: bigint): PythonValue {
  const length =
    typeof value === "string"
      ? value.length
      : value instanceof PythonBytes
        ? value.text.length
        : itemsOf(value)?.length;
  if (length === undefined) throw unsupported("*", value);
  const count = times < 0n ? 0n : times;
  if (count * BigInt(length) > mostItems) throw tooLarge();
  if (typeof value === "string") return value.repeat(length === 0 ? 0 : Number(count));
  if (value instanceof PythonBytes)
    return new PythonBytes(value.text.repeat(length === 0 ? 0 : Number(count)));
  const items = itemsOf(value) ?? [];
  const list = Array.from(
    { length: length === 0 ? 0 : Number(count) * length },
    (_, index) => items[index % length] as PythonValue,
  );
  return Array.isArray(value) ? list : new PythonTuple(list);
}

function itemsOf(value: PythonValue): readonly PythonValue[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof PythonTuple ? value.items : undefined;
}

function toNumber(value: PythonValue): bigint | number | undefined {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

function toFloat(value: bigint | number): number {
  const float = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(float)) {
    throw new PythonError("OverflowError", "int too large to convert to float");
  }
  return float;
}

function toComplex(value: PythonValue): PythonComplex {
  if (value instanceof PythonComplex) return value;
  const number = toNumber(value);
  if (number === undefined) throw unsupported("arithmetic", value);
  return new PythonComplex(toFloat(number), 0);
}

function divisionByZero(): PythonError {
  return new PythonError("ZeroDivisionError", "division by zero");
}

function tooLarge(): PythonError {
  return new PythonError("MemoryError", "the result of the arithmetic is too large");
}

function notLiteral(what: string): PythonError {
  return new PythonError("ValueError", `${what} is not arithmetic between literals`);
}

function unsupported(operator: string, value: PythonValue): PythonError {
  return new PythonError("TypeError", `unsupported operand type for ${operator}: '${typeName(value)}'`);
}
