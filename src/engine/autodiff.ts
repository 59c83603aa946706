import {
  type Attributes,
  contributed,
  createGraph,
  type Dimension,
  type ElementType,
  type Graph,
} from "./graph.ts";

/** A tensor of the graph. `tracked` values lead to a parameter, so gradient flows through them. */
export type Value = { name: string; shape: readonly Dimension[]; tracked: boolean };

/** Given the gradient of an operator's output, the gradient of each of its inputs (null where none is needed). */
export type Backward = (gradient: Value) => readonly (Value | null)[];

/**
 * Reverse-mode automatic differentiation that writes ONNX: operators append forward nodes and remember how to
 * append their backward nodes; `backward` appends those in reverse order. Sizes may be symbolic (a batch, a
 * length), so one graph serves every shape.
 */
export interface Tape {
  graph: Graph;
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value;
  /** An input that gradient is wanted for. */
  parameter(name: string, shape: readonly Dimension[]): Value;
  scalar(value: number): Value;
  /** A constant list of integers, as shapes and axes are given to ONNX operators. */
  integers(values: readonly number[]): Value;
  /** Appends a node that gradient does not flow through. */
  apply(
    operator: string,
    inputs: readonly Value[],
    shape: readonly Dimension[],
    attributes?: Attributes,
  ): Value;
  /** Declares how gradient flows from `output` to `inputs`. */
  record(output: Value, inputs: readonly Value[], backward: Backward): Value;
  /** Appends the backward pass of a scalar. */
  backward(loss: Value): void;
  /** After `backward`: the gradient of a value, or undefined where the loss does not depend on it. */
  gradient(value: Value): Value | undefined;
}

const contributedOperators = new Set(["FusedMatMul", "RotaryEmbedding", "QuickGelu"]);

export function createTape(): Tape {
  const graph = createGraph();
  const steps: { output: Value; inputs: readonly Value[]; backward: Backward }[] = [];
  const gradients = new Map<string, Value>();
  const constants = new Map<string, Value>();
  const constant = (key: string, make: () => Value) => {
    const known = constants.get(key) ?? make();
    constants.set(key, known);
    return known;
  };

  const tape: Tape = {
    graph,
    input: (name, type, shape) => ({ name: graph.input(name, type, shape), shape, tracked: false }),
    parameter: (name, shape) => ({ name: graph.input(name, "float32", shape), shape, tracked: true }),
    scalar: (value) =>
      constant(`scalar ${value}`, () => ({
        name: graph.constant(Float32Array.of(value), []),
        shape: [],
        tracked: false,
      })),
    integers: (values) =>
      constant(`integers ${values.join()}`, () => ({
        name: graph.constant(BigInt64Array.from(values, BigInt), [values.length]),
        shape: [values.length],
        tracked: false,
      })),
    apply: (operator, inputs, shape, attributes = {}) => ({
      name: graph.node(
        operator,
        inputs.map(({ name }) => name),
        attributes,
        contributedOperators.has(operator) ? contributed : "",
      ),
      shape,
      tracked: false,
    }),
    record(output, inputs, backward) {
      if (!inputs.some(({ tracked }) => tracked)) return output;
      const tracked = { ...output, tracked: true };
      steps.push({ output: tracked, inputs, backward });
      return tracked;
    },
    backward(loss) {
      gradients.set(loss.name, tape.scalar(1));
      for (const { output, inputs, backward } of steps.toReversed()) {
        const gradient = gradients.get(output.name);
        if (!gradient) continue;
        for (const [index, contribution] of backward(gradient).entries()) {
          const input = inputs[index]!;
          if (!input.tracked || !contribution) continue;
          const sofar = gradients.get(input.name);
          gradients.set(
            input.name,
            sofar ? tape.apply("Add", [sofar, contribution], input.shape) : contribution,
          );
        }
      }
    },
    gradient: ({ name }) => gradients.get(name),
  };
  return tape;
}
