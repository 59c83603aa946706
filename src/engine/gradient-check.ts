import { createRandom } from "../kit/random.ts";
import { createTape, type Tape, type Value } from "./autodiff.ts";
import { createSession, floats, integers } from "./session.ts";

/** A tensor a gradient is checked by, filled from a seed. Values keep `away` from 0 where an operator has a kink. */
export type Given = { shape: readonly number[]; offset?: number; scale?: number };

/**
 * Compares the gradient that the tape emits with central differences along random directions. Returns the worst
 * disagreement, relative to the derivative where that is above 1.
 */
export async function gradientError(
  given: Readonly<Record<string, Given>>,
  build: (tape: Tape, inputs: Record<string, Value>) => Value,
  options: {
    integers?: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>;
    seed?: number;
  } = {},
): Promise<number> {
  const random = createRandom(options.seed ?? 1);
  const tape = createTape();
  const inputs: Record<string, Value> = {};
  const data: Record<string, Float32Array> = {};
  for (const [name, { shape, offset = 0, scale = 1 }] of Object.entries(given)) {
    inputs[name] = tape.parameter(name, shape);
    data[name] = Float32Array.from(
      { length: shape.reduce((size, side) => size * side, 1) },
      () => offset + scale * random.normal(),
    );
  }
  for (const [name, { shape }] of Object.entries(options.integers ?? {}))
    inputs[name] = tape.input(name, "int64", shape);
  const loss = build(tape, inputs);
  tape.backward(loss);
  tape.graph.output(loss.name, "loss", "float32", []);
  for (const name of Object.keys(given))
    tape.graph.output(tape.gradient(inputs[name]!)!.name, `gradient ${name}`, "float32", given[name]!.shape);

  const session = await createSession(tape.graph, { threads: 1 });
  const run = async (values: Record<string, Float32Array>) => {
    const feeds = Object.fromEntries(
      Object.entries(values).map(([name, array]) => [name, floats(array, given[name]!.shape)]),
    );
    for (const [name, { shape, values }] of Object.entries(options.integers ?? {}))
      feeds[name] = integers(values, shape);
    return session.run(feeds);
  };
  const results = await run(data);
  let worst = 0;
  const step = 4e-3;
  for (const name of Object.keys(given)) {
    const gradient = results[`gradient ${name}`]!.data as Float32Array;
    for (let round = 0; round < 3; round++) {
      const direction = Float32Array.from(gradient, () => random.normal());
      const moved = async (sign: number) => {
        const values = data[name]!.map((value, index) => value + sign * step * direction[index]!);
        return ((await run({ ...data, [name]: values }))["loss"]!.data as Float32Array)[0]!;
      };
      const numeric = ((await moved(1)) - (await moved(-1))) / (2 * step);
      const emitted = gradient.reduce((total, value, index) => total + value * direction[index]!, 0);
      worst = Math.max(worst, Math.abs(numeric - emitted) / Math.max(1, Math.abs(numeric)));
    }
  }
  await session.release();
  return worst;
}
