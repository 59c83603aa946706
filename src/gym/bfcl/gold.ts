import type { BfclItem } from "../../eval/bfcl/data.ts";
import { decode } from "../../eval/bfcl/decode/decode.ts";
import { readSimpleCall } from "../../eval/bfcl/multi-turn/simple-call.ts";
import { nativeName } from "../../eval/bfcl/native-tools.ts";
import { str } from "../../eval/bfcl/python/text.ts";
import { dictGet, type PythonDict, PythonTuple, type PythonValue } from "../../eval/bfcl/python/value.ts";
import type { Json, JsonObject } from "../../spec/json.ts";
import type { ToolCall } from "../../spec/message.ts";

/** The calls of a right answer, turn by turn: the first of the values that each parameter may have. */
export function goldTurns(item: BfclItem, functions: readonly PythonDict[]): ToolCall[][] {
  const truth = item.groundTruth ?? [];
  if (item.category.includes("irrelevance")) return [[]];
  if (item.category.includes("relevance")) return [[toCall(str(dictGet(functions[0]!, "name")!), {}, 0)]];
  if (item.category.startsWith("multi_turn"))
    return truth.map((turn) => (turn as string[]).map((text, index) => readCall(text, functions, index)));
  return [truth.map((each, index) => firstAccepted(each as PythonDict, index))];
}

function firstAccepted(answer: PythonDict, index: number): ToolCall {
  const [name, parameters] = [...answer][0] as [string, PythonDict];
  const given: JsonObject = {};
  for (const [parameter, accepted] of parameters) {
    const [first] = accepted as PythonValue[];
    // an empty text says that the parameter may be left out
    if (first !== undefined && first !== "") given[str(parameter)] = toJson(picked(first));
  }
  return toCall(name, given, index);
}

/** Inside of a dict each value is a list of what is accepted, again. */
function picked(value: PythonValue): PythonValue {
  if (Array.isArray(value)) return value.map(picked);
  if (!(value instanceof Map)) return value;
  const firsts = [...value].map(([key, accepted]): [PythonValue, PythonValue] => [
    key,
    Array.isArray(accepted) ? picked(accepted[0] ?? "") : accepted,
  ]);
  return new Map(firsts.filter(([, first]) => first !== ""));
}

/** A call of the answer as text, with its positional arguments named by the tool's document. */
function readCall(text: string, functions: readonly PythonDict[], index: number): ToolCall {
  const simple = readSimpleCall(text);
  if (simple) {
    const names = parametersOf(simple.name, functions);
    const positional = simple.positional.map((value, at) => [names[at] ?? `argument_${at}`, toJson(value)]);
    const keywords = [...simple.keywords].map(([key, value]) => [key, toJson(value)]);
    return toCall(simple.name, Object.fromEntries([...positional, ...keywords]) as JsonObject, index);
  }
  const decoded = decode(`[${text}]`, "python").value as PythonDict[];
  const [name, given] = [...decoded[0]!][0] as [string, PythonDict];
  return toCall(name, toJson(given) as JsonObject, index);
}

function parametersOf(name: string, functions: readonly PythonDict[]): string[] {
  const document = functions.find((each) => dictGet(each, "name") === name);
  const properties = document && dictGet(dictGet(document, "parameters") as PythonDict, "properties");
  return properties instanceof Map ? [...properties.keys()].map(str) : [];
}

function toCall(name: string, given: JsonObject, index: number): ToolCall {
  return { id: `call_${index}`, name: nativeName(name), arguments: given };
}

function toJson(value: PythonValue): Json {
  if (typeof value === "bigint") return Number(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof PythonTuple) return value.items.map(toJson);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [str(key), toJson(item)]));
  return str(value);
}
