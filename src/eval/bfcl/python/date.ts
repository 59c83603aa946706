import { PythonError } from "./error.ts";
import { spaces, toAsciiDigits } from "./number.ts";
import { repr } from "./text.ts";
import { type PythonValue, typeName } from "./value.ts";

// Where Python's own patterns say \d, the digits of every script count.
const digit = "\\p{Nd}";
const day = `(${digit}{4})-(1[0-2]|0[1-9]|[1-9])-(3[01]|[12]${digit}|0[1-9]|[1-9]| [1-9])`;
const formats = {
  "%Y-%m-%d": new RegExp(`^${day}`, "u"),
  "%Y-%m-%d %H:%M:%S": new RegExp(
    `^${day}[${spaces}]+(2[0-3]|[01]${digit}|${digit}):([0-5]${digit}|${digit}):(6[01]|[0-5]${digit}|${digit})`,
    "u",
  ),
};

/** `datetime.strptime(value, format)` as seconds of a clock that knows no zones. */
export function parseDate(value: PythonValue, format: keyof typeof formats): number {
  if (typeof value !== "string")
    throw new PythonError("TypeError", `strptime() argument 1 must be str, not ${typeName(value)}`);
  const found = formats[format].exec(value);
  if (!found)
    throw new PythonError("ValueError", `time data ${repr(value)} does not match format ${repr(format)}`);
  if (found[0].length < value.length)
    throw new PythonError("ValueError", `unconverted data remains: ${value.slice(found[0].length)}`);
  const [year, month, date, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map((text) => Number(toAsciiDigits(text))) as [number, number, number] & number[];
  if (year === 0) throw new PythonError("ValueError", "year 0 is out of range");
  if (date > daysIn(year, month)) throw new PythonError("ValueError", "day is out of range for month");
  if (second > 59) throw new PythonError("ValueError", "second must be in 0..59");
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, date);
  moment.setUTCHours(hour, minute, second);
  return moment.getTime() / 1000;
}

function daysIn(year: number, month: number): number {
  const last = new Date(0);
  last.setUTCFullYear(year, month, 0);
  return last.getUTCDate();
}
