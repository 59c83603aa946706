import type { PythonDict, PythonValue } from "../python/value.ts";

/** A parameter of a method; without `default` it must be given. */
export type Parameter = { name: string; default?: PythonValue };

export type Method = { parameters: readonly Parameter[]; call(...values: PythonValue[]): PythonValue };

/** A live object of one of the benchmark's classes: public methods by name, and its public attributes as `==` compares them. */
export type Simulator = {
  methods: ReadonlyMap<string, Method> | Record<string, Method>;
  state(): PythonDict;
};

/**
 * What the original keeps in a class and not in its objects, by name: objects that are compared with each other have
 * it in common, and see what another has changed there.
 */
export type CommonValues = Map<string, PythonValue>;

/** Builds one from an item's `initial_config` for the class (`_load_scenario`), missing fields filled from the class's defaults. */
export type SimulatorClass = {
  name: string;
  create(config: PythonDict, options: { longContext: boolean; common?: CommonValues }): Simulator;
};
