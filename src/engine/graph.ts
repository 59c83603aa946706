import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export type ElementType = "float32" | "int64" | "bool";

/** A number is a fixed size; a name is a size that each run may choose. */
export type Dimension = number | string;

/** Integers are written bare, floats as `{ float }`. */
export type Attribute = number | string | readonly number[] | { float: number };

export type Attributes = Record<string, Attribute>;

/** Operators of onnxruntime's own set, beyond the ONNX standard. */
export const contributed = "com.microsoft";

/** Collects nodes and writes them as an ONNX model (opset 17, IR 8). Values are known by name. */
export interface Graph {
  input(name: string, type: ElementType, shape: readonly Dimension[]): string;
  output(value: string, name: string, type: ElementType, shape: readonly Dimension[]): void;
  /** A tensor that is part of the model. */
  constant(data: Float32Array | BigInt64Array, shape: readonly number[]): string;
  /** A node with one output. */
  node(operator: string, inputs: readonly string[], attributes?: Attributes, domain?: string): string;
  /** A node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Attributes,
    domain?: string,
  ): string[];
  encode(): Uint8Array;
}

export function createGraph(): Graph {
  const nodes: Uint8Array[] = [];
  const inputs: Uint8Array[] = [];
  const outputs: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  let named = 0;

  const graph: Graph = {
    input(name, type, shape) {
      inputs.push(valueInfo(name, type, shape));
      return name;
    },
    output(value, name, type, shape) {
      nodes.push(encodeNode("Identity", [value], [name], {}, ""));
      outputs.push(valueInfo(name, type, shape));
    },
    constant(data, shape) {
      const name = `constant${named++}`;
      initializers.push(encodeTensor(name, data, shape));
      return name;
    },
    node: (operator, from, attributes, domain) => graph.nodes(operator, from, 1, attributes, domain)[0]!,
    nodes(operator, from, count, attributes = {}, domain = "") {
      const results = Array.from({ length: count }, () => `value${named++}`);
      nodes.push(encodeNode(operator, from, results, attributes, domain));
      return results;
    },
    encode() {
      const body = new BinaryWriter();
      for (const node of nodes) body.tag(1, WireType.LengthDelimited).bytes(node);
      body.tag(2, WireType.LengthDelimited).string("attune");
      for (const tensor of initializers) body.tag(5, WireType.LengthDelimited).bytes(tensor);
      for (const input of inputs) body.tag(11, WireType.LengthDelimited).bytes(input);
      for (const output of outputs) body.tag(12, WireType.LengthDelimited).bytes(output);

      const model = new BinaryWriter();
      model.tag(1, WireType.Varint).int64(8);
      model.tag(7, WireType.LengthDelimited).bytes(body.finish());
      for (const [domain, version] of [
        ["", 17],
        [contributed, 1],
      ] as const) {
        model.tag(8, WireType.LengthDelimited).fork();
        model.tag(1, WireType.LengthDelimited).string(domain);
        model.tag(2, WireType.Varint).int64(version).join();
      }
      return model.finish();
    },
  };
  return graph;
}

const elementCode: Record<ElementType, number> = { float32: 1, int64: 7, bool: 9 };

function encodeNode(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes,
  domain: string,
): Uint8Array {
  const writer = new BinaryWriter();
  for (const input of inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(3, WireType.LengthDelimited).string(`${operator}:${outputs[0]}`);
  writer.tag(4, WireType.LengthDelimited).string(operator);
  for (const [name, value] of Object.entries(attributes)) {
    writer.tag(5, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name);
    if (typeof value === "number")
      writer.tag(3, WireType.Varint).int64(value).tag(20, WireType.Varint).int32(2);
    else if (typeof value === "string") {
      writer.tag(4, WireType.LengthDelimited).string(value).tag(20, WireType.Varint).int32(3);
    } else if ("float" in value)
      writer.tag(2, WireType.Bit32).float(value.float).tag(20, WireType.Varint).int32(1);
    else {
      for (const item of value) writer.tag(8, WireType.Varint).int64(item);
      writer.tag(20, WireType.Varint).int32(7);
    }
    writer.join();
  }
  if (domain) writer.tag(7, WireType.LengthDelimited).string(domain);
  return writer.finish();
}

function encodeTensor(
  name: string,
  data: Float32Array | BigInt64Array,
  shape: readonly number[],
): Uint8Array {
  const writer = new BinaryWriter();
  for (const side of shape) writer.tag(1, WireType.Varint).int64(side);
  writer
    .tag(2, WireType.Varint)
    .int32(data instanceof Float32Array ? elementCode.float32 : elementCode.int64);
  writer.tag(8, WireType.LengthDelimited).string(name);
  writer
    .tag(9, WireType.LengthDelimited)
    .bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return writer.finish();
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(name);
  writer.tag(2, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int32(elementCode[type]);
  writer.tag(2, WireType.LengthDelimited).fork();
  for (const side of shape) {
    writer.tag(1, WireType.LengthDelimited).fork();
    if (typeof side === "number") writer.tag(1, WireType.Varint).int64(side);
    else writer.tag(2, WireType.LengthDelimited).string(side);
    writer.join();
  }
  writer.join().join().join();
  return writer.finish();
}
