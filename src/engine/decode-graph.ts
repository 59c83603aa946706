import { contributed, createGraph, type Graph } from "./graph.ts";
import type { Model } from "./model.ts";
import { ropeTables } from "./rope.ts";

/**
 * The forward pass over new tokens that follow a cache of keys and values, weights baked in: inputs `ids` and
 * `positions` [B, T], `mask` [B, 1, 1, T, C + T], `picks` [B] (flat cell whose logits are wanted), and for every
 * layer `keys` and `values` [B, K, C, d]. Outputs `logits` [B, V] and each layer's new keys and values
 * [B, K, T, d]. The cache itself never passes through an output: outputs are copied.
 */
export function decodeGraph({ config, parameters }: Model): Graph {
  const graph = createGraph();
  const { heads, keyValueHeads, headSize, feedForwardSize } = config;
  const [queryWidth, keyWidth] = [heads * headSize, keyValueHeads * headSize];
  const integers = (values: readonly number[]) =>
    graph.constant(BigInt64Array.from(values, BigInt), [values.length]);
  const parameter = (name: string) => {
    const { data, shape } = parameters.get(name)!;
    return graph.constant(data, shape);
  };
  /** Projections that read the same input, as one matrix product. */
  const project = (input: string, names: readonly string[]) => {
    const parts = names.map((name) => parameters.get(`${name}.weight`)!);
    const columns = parts[0]!.shape[1]!;
    const rows = parts.reduce((total, { shape }) => total + shape[0]!, 0);
    const weight = graph.constant(concatenate(parts.map(({ data }) => data)), [rows, columns]);
    const biases = names.map((name) => parameters.get(`${name}.bias`)?.data ?? null);
    if (!biases.some(Boolean)) return graph.node("Gemm", [input, weight], { transB: 1 });
    const bias = concatenate(biases.map((data, index) => data ?? new Float32Array(parts[index]!.shape[0]!)));
    return graph.node("Gemm", [input, weight, graph.constant(bias, [rows])], { transB: 1 });
  };
  const norm = (input: string, name: string) =>
    graph.node("SimplifiedLayerNormalization", [input, parameter(name)], {
      axis: -1,
      epsilon: { float: config.normEpsilon },
      stash_type: 1,
    });

  const ids = graph.input("ids", "int64", ["B", "T"]);
  const positions = graph.input("positions", "int64", ["B", "T"]);
  const mask = graph.input("mask", "float32", ["B", 1, 1, "T", "CT"]);
  const picks = graph.input("picks", "int64", ["B"]);
  const tables = ropeTables(config, config.contextLength);
  const tableShape = [config.contextLength, headSize / 2];
  const [cos, sin] = [graph.constant(tables.cos, tableShape), graph.constant(tables.sin, tableShape)];
  const alpha = { float: 1 / Math.sqrt(headSize) };

  const sizes = graph.node("Shape", [ids]);
  const [batch, length] = graph.nodes("Split", [sizes, integers([1, 1])], 2, { axis: 0 }) as [string, string];
  const sized = (parts: readonly string[]) => graph.node("Concat", [...parts], { axis: 0 });
  const group = heads / keyValueHeads;

  const embedding = parameter("model.embed_tokens.weight");
  let x = graph.node("Gather", [embedding, graph.node("Reshape", [ids, integers([-1])])], { axis: 0 });
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string) => `model.layers.${layer}.${name}`;
    const keys = graph.input(`keys ${layer}`, "float32", ["B", keyValueHeads, "C", headSize]);
    const values = graph.input(`values ${layer}`, "float32", ["B", keyValueHeads, "C", headSize]);

    const before = norm(x, at("input_layernorm.weight"));
    const joined = project(
      before,
      ["q", "k", "v"].map((name) => at(`self_attn.${name}_proj`)),
    );
    const [q, k, v] = graph.nodes("Split", [joined, integers([queryWidth, keyWidth, keyWidth])], 3, {
      axis: 1,
    });
    const toHeads = (input: string, count: number, normName: string | null, turned: boolean) => {
      let wide = graph.node("Reshape", [input, sized([batch, length, integers([count, headSize])])]);
      if (normName !== null) wide = norm(wide, normName);
      const head = graph.node("Transpose", [wide], { perm: [0, 2, 1, 3] });
      return turned ? graph.node("RotaryEmbedding", [head, positions, cos, sin], {}, contributed) : head;
    };
    const queryNorm = config.queryKeyNorm ? at("self_attn.q_norm.weight") : null;
    const keyNorm = config.queryKeyNorm ? at("self_attn.k_norm.weight") : null;
    const queries = graph.node("Reshape", [
      toHeads(q!, heads, queryNorm, true),
      sized([batch, integers([keyValueHeads, -1, headSize])]),
    ]);
    const newKeys = toHeads(k!, keyValueHeads, keyNorm, true);
    const newValues = toHeads(v!, keyValueHeads, null, false);
    graph.output(newKeys, `new keys ${layer}`, "float32", ["B", keyValueHeads, "T", headSize]);
    graph.output(newValues, `new values ${layer}`, "float32", ["B", keyValueHeads, "T", headSize]);

    const overCache = graph.node("FusedMatMul", [queries, keys], { alpha, transB: 1 }, contributed);
    const overNew = graph.node("FusedMatMul", [queries, newKeys], { alpha, transB: 1 }, contributed);
    const scores = graph.node("Concat", [overCache, overNew], { axis: 3 });
    const split = graph.node("Reshape", [
      scores,
      sized([batch, integers([keyValueHeads, group]), length, integers([-1])]),
    ]);
    const softmax = graph.node("Softmax", [graph.node("Add", [split, mask])], { axis: -1 });
    const weights = graph.node("Reshape", [softmax, graph.node("Shape", [scores])]);
    const capacity = graph.node("Slice", [graph.node("Shape", [keys]), integers([2]), integers([3])]);
    const [onCache, onNew] = graph.nodes("Split", [weights, sized([capacity, length])], 2, { axis: 3 });
    const seen = graph.node("Add", [
      graph.node("MatMul", [onCache!, values]),
      graph.node("MatMul", [onNew!, newValues]),
    ]);
    const perHead = graph.node("Reshape", [
      seen,
      sized([batch, integers([heads]), length, integers([headSize])]),
    ]);
    const flat = graph.node("Reshape", [
      graph.node("Transpose", [perHead], { perm: [0, 2, 1, 3] }),
      integers([-1, queryWidth]),
    ]);
    // what follows the last attention concerns each token alone: only those whose logits are wanted go on
    const isLast = layer === config.layers - 1;
    const needed = (value: string) => (isLast ? graph.node("Gather", [value, picks], { axis: 0 }) : value);
    x = graph.node("Add", [needed(x), project(needed(flat), [at("self_attn.o_proj")])]);

    const between = norm(x, at("post_attention_layernorm.weight"));
    const both = project(between, [at("mlp.gate_proj"), at("mlp.up_proj")]);
    const [gate, up] = graph.nodes("Split", [both, integers([feedForwardSize, feedForwardSize])], 2, {
      axis: 1,
    });
    const activated = graph.node("Mul", [graph.node("Mul", [gate!, graph.node("Sigmoid", [gate!])]), up!]);
    x = graph.node("Add", [x, project(activated, [at("mlp.down_proj")])]);
  }
  const last = norm(x, "model.norm.weight");
  const head = config.tiedEmbeddings ? embedding : parameter("lm_head.weight");
  graph.output(graph.node("Gemm", [last, head], { transB: 1 }), "logits", "float32", [
    "B",
    config.vocabularySize,
  ]);
  return graph;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
