import { AttuneError } from "../../../spec/error.ts";
import { PythonError } from "../python/error.ts";
import type { Node } from "../python/node.ts";
import { parseExpression } from "../python/syntax.ts";
import { jsonText, str } from "../python/text.ts";
import { dictGet, type PythonDict, type PythonValue } from "../python/value.ts";
import { type Arguments, bindArguments } from "./arguments.ts";
import { addInstanceNames, forbiddenName } from "./call-text.ts";
import { copyOf } from "./copy.ts";
import { evaluate, type Scope } from "./evaluate.ts";
import { readSimpleCall } from "./simple-call.ts";
import type { CommonValues, Method, Simulator, SimulatorClass } from "./simulator.ts";
import { simulators } from "./simulators.ts";

/** The objects of one item, as one side (a model, or the answer) has left them. */
export type Execution = {
  /** Live objects by the name of their class. */
  objects: ReadonlyMap<string, Simulator>;
  /** Runs call strings in order and gives the text of each result; what a call raises is its text. */
  run(calls: readonly string[]): string[];
};

export type ExecutionStart = {
  id: string;
  involvedClasses: readonly string[];
  initialConfig: PythonDict;
  longContext: boolean;
  /** Who calls: part of the objects' names, which the original writes into text that looks like a call. */
  owner: string;
  /** Given to several executions, it lets their objects share what the original keeps in their classes. */
  common?: CommonValues;
  /** Classes beside those of the multi-turn categories. */
  classes?: Readonly<Record<string, SimulatorClass>>;
};

/** Fresh objects of the item's classes. */
export function startExecution(start: ExecutionStart): Execution {
  const objects = new Map(start.involvedClasses.map((name) => [name, createObject(name, start)]));
  const instances = [...objects].map(([className, { methods }]): Instance => {
    const name = `${start.owner}_${start.id}_${className}_instance`.replace(/[-./:]/g, "_");
    return {
      name,
      className,
      method: (method) =>
        methods instanceof Map
          ? methods.get(method)
          : Object.hasOwn(methods, method)
            ? (methods as Record<string, Method>)[method]
            : undefined,
    };
  });
  // Of two methods of one name the later class has it.
  const ownerOf = (method: string) => instances.findLast((instance) => instance.method(method) !== undefined);
  const scope: Scope = {
    hasName: (name) => instances.some((instance) => instance.name === name),
    method: (object, name) => {
      const instance = instances.find((each) => each.name === object);
      return instance?.method(name) && ((given) => invoke(instance, name, given));
    },
  };
  return { objects, run: (calls) => calls.map((call) => runCall(call, ownerOf, scope)) };
}

type OwnerOf = (method: string) => Instance | undefined;

type Instance = { name: string; className: string; method(name: string): Method | undefined };

function createObject(
  name: string,
  { initialConfig, longContext, id, common, classes }: ExecutionStart,
): Simulator {
  const simulator = classes?.[name] ?? simulators[name];
  if (simulator === undefined) {
    throw new AttuneError(
      "input",
      `${id}: got a class ${name}, expected one of ${Object.keys(simulators).join(", ")}`,
    );
  }
  const config = dictGet(initialConfig, name) ?? new Map();
  if (!(config instanceof Map)) {
    throw new AttuneError("input", `${id}: initial_config of ${name} is not an object`);
  }
  try {
    return simulator.create(copyOf(config) as PythonDict, { longContext, ...(common && { common }) });
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    throw new AttuneError("input", `${id}: initial_config of ${name}: ${error.message}`, { cause: error });
  }
}

function invoke(instance: Instance, name: string, given: Arguments): PythonValue {
  const method = instance.method(name) as Method;
  return method.call(...bindArguments(`${instance.className}.${name}`, method, given));
}

function runCall(call: string, ownerOf: OwnerOf, scope: Scope): string {
  try {
    const result = runSimpleCall(call, ownerOf);
    return resultText(result === undefined ? runExpression(call, ownerOf, scope) : result);
  } catch (error) {
    if (error instanceof PythonError) return `Error during execution: ${error.message}`;
    // What nests too deep for this machine would be too deep for Python long before.
    if (error instanceof RangeError) return "Error during execution: maximum recursion depth exceeded";
    throw error;
  }
}

/** Undefined where the call is not as simple, or would raise for its names. */
function runSimpleCall(call: string, ownerOf: OwnerOf): PythonValue | undefined {
  const simple = readSimpleCall(call);
  const owner = simple && ownerOf(simple.name);
  if (simple === undefined || owner === undefined) return undefined;
  const { parameters } = owner.method(simple.name) as Method;
  for (const name of simple.keywords.keys()) {
    if (!parameters.some((parameter) => parameter.name === name)) return undefined;
  }
  return invoke(owner, simple.name, simple);
}

function runExpression(call: string, ownerOf: OwnerOf, scope: Scope): PythonValue {
  const text = addInstanceNames(call, (method) => ownerOf(method)?.name);
  const forbidden = forbiddenName(text);
  if (forbidden !== undefined) {
    throw new PythonError("Exception", `Function call ${forbidden} is not allowed.`);
  }
  return evaluate(parse(text), scope);
}

function parse(text: string): Node {
  try {
    return parseExpression(text.replace(/^[ \t]+/, ""));
  } catch (error) {
    if (!(error instanceof PythonError) || !/^(Syntax|Indentation)Error$/.test(error.type)) throw error;
    throw new PythonError(error.type, `${error.message} (<string>, line ${text === "" ? 0 : 1})`);
  }
}

/** A dict is printed as JSON where JSON has words for all of it; everything else as `str` prints it. */
function resultText(result: PythonValue): string {
  if (!(result instanceof Map)) return str(result);
  try {
    return jsonText(result);
  } catch (error) {
    if (error instanceof PythonError) return str(result);
    throw error;
  }
}
