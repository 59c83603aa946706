import { PythonError } from "../python/error.ts";
import {
  dictGet,
  dictHas,
  isEqual,
  isIn,
  type PythonDict,
  type PythonValue,
  typeName,
} from "../python/value.ts";
import { isStandard, standardText } from "./standard.ts";
import { failed, passed, type Verdict } from "./verdict.ts";

/** A text against the allowed texts; allowed values of another class are passed over. */
export function checkText(value: string, allowed: readonly PythonValue[]): Verdict {
  for (const text of standardTexts(allowed)) if (isStandard(value, text)) return passed;
  return otherText;
}

/** A list against the allowed lists, in order; only texts at the top of it are standardised. */
export function checkList(value: readonly PythonValue[], allowed: readonly PythonValue[]): Verdict {
  const standard = value.map(standardValue);
  for (const answer of standardLists(allowed)) if (isEqual(answer, standard)) return passed;
  return otherList;
}

const otherText = failed("value_error:string");
const otherList = failed("value_error:list/tuple");

/** A dict against the allowed dicts: no key too many, each value allowed, no key missing unless it may be. */
export function checkDict(value: PythonValue, allowed: readonly PythonValue[]): Verdict {
  let verdict = failed("dict_checker:unclear");
  for (const answer of allowed) {
    if (answer === "") continue;
    verdict = checkOneDict(toPythonDict(value), toPythonDict(answer));
    if (verdict.valid) return verdict;
  }
  return verdict;
}

/** Lists of dicts, position by position. The error type is that of the last allowed list that was looked at. */
export function checkDictList(value: readonly PythonValue[], allowed: readonly PythonValue[]): Verdict {
  let verdict = failed("list_dict_checker:unclear");
  for (const answer of allowed) {
    const items = toItems(answer);
    if (items.length !== value.length) {
      verdict = failed("value_error:list_dict_count");
      continue;
    }
    verdict = passed;
    for (let index = 0; index < value.length && verdict.valid; index++) {
      verdict = checkDict(value[index] as PythonValue, [items[index] as PythonValue]);
    }
    if (verdict.valid) return passed;
  }
  return verdict;
}

function checkOneDict(value: PythonDict, answer: PythonDict): Verdict {
  let errorType = "";
  for (const [key, item] of value) {
    const allowed = dictGet(answer, key);
    if (allowed === undefined) {
      errorType = "value_error:dict_key";
      break;
    }
    if (!isIn(standardValue(item), toItems(allowed).map(standardValue))) {
      errorType = "value_error:dict_value";
      break;
    }
  }
  // A missing key is looked for even after a failure above, and its error wins.
  for (const [key, allowed] of answer) {
    if (!dictHas(value, key) && !mayBeLeftOut(allowed)) return failed("value_error:dict_key");
  }
  return errorType === "" ? passed : failed(errorType);
}

/** Whether `""` is among the allowed values. */
export function mayBeLeftOut(allowed: PythonValue): boolean {
  return typeof allowed === "string" || isIn("", toItems(allowed));
}

// Answers are asked again and again, for every sample and every model.
const knownTexts = new WeakMap<readonly PythonValue[], string[]>();

function standardTexts(allowed: readonly PythonValue[]): string[] {
  const known = knownTexts.get(allowed);
  if (known !== undefined) return known;
  const texts = allowed.filter((answer) => typeof answer === "string").map(standardText);
  knownTexts.set(allowed, texts);
  return texts;
}

const knownLists = new WeakMap<readonly PythonValue[], PythonValue[][]>();

/** An allowed "" (may be left out) reads as an empty list here, as it does in the original. */
function standardLists(allowed: readonly PythonValue[]): PythonValue[][] {
  const known = knownLists.get(allowed);
  if (known !== undefined) return known;
  const lists = allowed.map((answer) => toItems(answer).map(standardValue));
  knownLists.set(allowed, lists);
  return lists;
}

function standardValue(value: PythonValue): PythonValue {
  return typeof value === "string" ? standardText(value) : value;
}

function toItems(value: PythonValue): readonly PythonValue[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return Array.from(value);
  throw new PythonError("TypeError", `object of type '${typeName(value)}' is not a list of answers`);
}

function toPythonDict(value: PythonValue): PythonDict {
  if (value instanceof Map) return value;
  throw new PythonError("AttributeError", `'${typeName(value)}' object has no attribute 'items'`);
}
