import type { Tape, Value } from "./autodiff.ts";
import type { Dimension } from "./graph.ts";
import { attention, linear, type RotaryTables, rmsNorm, rotate, swiGlu } from "./layers.ts";
import { type ModelConfig, parameterShapes } from "./model.ts";
import { add, gatherRows, reshape, shapeOf, transpose } from "./operators.ts";
import { gridLimit } from "./pack.ts";
import { ropeTables } from "./rope.ts";

export type TransformerInputs = {
  /** Token ids, [B·T]. */
  ids: Value;
  /** Position of each token in its own row, [B, T]. */
  positions: Value;
  /** Added to attention scores: 0 where a query may look, a large negative number elsewhere; [B, 1, 1, T, T]. */
  mask: Value;
  /** Tokens whose hidden states are asked for, [N]: places in [B·T]. */
  picks: Value;
};

/** Declares every parameter of a model as an input of the graph. */
export function declareParameters(tape: Tape, config: ModelConfig): Map<string, Value> {
  return new Map([...parameterShapes(config)].map(([name, shape]) => [name, tape.parameter(name, shape)]));
}

/**
 * The decoder's last hidden states at `picks`, normalised, [N, d]. What follows the last layer's attention concerns
 * each token alone, so only the picked ones go through it.
 */
export function hiddenStates(
  tape: Tape,
  config: ModelConfig,
  parameters: ReadonlyMap<string, Value>,
  { ids, positions, mask, picks }: TransformerInputs,
): Value {
  const tables = rotaryTables(tape, config, positions);
  const sizes = shapeOf(tape, positions);
  const normalised = (x: Value, name: string) => rmsNorm(tape, x, parameters.get(name)!, config.normEpsilon);

  let x = gatherRows(tape, parameters.get("model.embed_tokens.weight")!, ids);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string) => parameters.get(`model.layers.${layer}.${name}`)!;
    const project = (input: Value, name: string) =>
      linear(tape, input, at(`${name}.weight`), parameters.get(`model.layers.${layer}.${name}.bias`));
    const heads = (input: Value, name: "q" | "k" | "v") => {
      const count = name === "q" ? config.heads : config.keyValueHeads;
      const wide = splitHeads(tape, project(input, `self_attn.${name}_proj`), sizes, [
        count,
        config.headSize,
      ]);
      const normed =
        config.queryKeyNorm && name !== "v"
          ? normalised(wide, `model.layers.${layer}.self_attn.${name}_norm.weight`)
          : wide;
      const turned = transpose(tape, normed, [0, 2, 1, 3]);
      return name === "v" ? turned : rotate(tape, turned, tables);
    };

    const before = normalised(x, `model.layers.${layer}.input_layernorm.weight`);
    const group = config.heads / config.keyValueHeads;
    const queries = groupQueries(tape, heads(before, "q"), config);
    const seen = attention(tape, queries, heads(before, "k"), heads(before, "v"), { mask, group });
    const isLast = layer === config.layers - 1;
    const needed = (value: Value) => (isLast ? gatherRows(tape, value, picks) : value);
    const joined = needed(joinHeads(tape, seen, sizes, config));
    x = add(tape, needed(x), project(joined, "self_attn.o_proj"));

    const between = normalised(x, `model.layers.${layer}.post_attention_layernorm.weight`);
    const wide = swiGlu(tape, project(between, "mlp.gate_proj"), project(between, "mlp.up_proj"));
    x = add(tape, x, project(wide, "mlp.down_proj"));
  }
  return normalised(x, "model.norm.weight");
}

/** Logits [N, V] of hidden states [N, d]. */
export function logitsOf(
  tape: Tape,
  config: ModelConfig,
  parameters: ReadonlyMap<string, Value>,
  hidden: Value,
): Value {
  return linear(
    tape,
    hidden,
    parameters.get(config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight")!,
  );
}

function rotaryTables(tape: Tape, config: ModelConfig, positions: Value): RotaryTables {
  const { cos, sin } = ropeTables(config, gridLimit(config));
  const shape = [gridLimit(config), config.headSize / 2];
  const constant = (data: Float32Array): Value => ({
    name: tape.graph.constant(data, shape),
    shape,
    tracked: false,
  });
  return {
    positions,
    cos: constant(cos),
    sin: constant(sin),
    negativeSin: constant(sin.map((value) => -value)),
  };
}

/** [B·T, H·d] → [B, T, H, d]; `sizes` holds B and T. */
function splitHeads(tape: Tape, x: Value, sizes: Value, [heads, size]: readonly [number, number]): Value {
  const target = tape.apply("Concat", [sizes, tape.integers([heads, size])], [4], { axis: 0 });
  return reshape(tape, x, target, ["B", "T", heads, size]);
}

/** [B, H, T, d] → [B, K, G·T, d]. */
function groupQueries(tape: Tape, q: Value, { heads, keyValueHeads, headSize }: ModelConfig): Value {
  if (heads === keyValueHeads) return q;
  const shape: Dimension[] = ["B", keyValueHeads, "GT", headSize];
  return reshape(tape, q, tape.integers([0, keyValueHeads, -1, headSize]), shape);
}

/** [B, K, G·T, d] → [B·T, H·d]. */
function joinHeads(
  tape: Tape,
  x: Value,
  sizes: Value,
  { heads, keyValueHeads, headSize }: ModelConfig,
): Value {
  let wide = x;
  if (heads !== keyValueHeads) {
    const length = tape.apply("Slice", [sizes, tape.integers([1]), tape.integers([2])], [1]);
    const target = tape.apply("Concat", [tape.integers([0, heads]), length, tape.integers([headSize])], [4], {
      axis: 0,
    });
    wide = reshape(tape, x, target, ["B", heads, "T", headSize]);
  }
  const width = heads * headSize;
  return reshape(tape, transpose(tape, wide, [0, 2, 1, 3]), tape.integers([-1, width]), ["M", width]);
}
