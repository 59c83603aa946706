import { createRandom, deriveSeed } from "../kit/random.ts";
import { AttuneError } from "../spec/error.ts";
import { checkWeights, drawIndex } from "./weighted.ts";

/** Examples under a name, and how often one of them is drawn against the other sources' weights. */
export type Source<Example> = { name: string; examples: readonly Example[]; weight: number };

/**
 * An endless stream of examples from several sources, read by position. Which source a position draws from is
 * decided example by example, not file by file (AgentTuning, arXiv 2310.12823); each source is passed through in
 * full before it starts again in a fresh order. What stands at a position follows from the seed alone, so a
 * stopped run goes on where it was.
 */
export function mixture<Example>(
  sources: readonly Source<Example>[],
  { seed }: { seed: number },
): (position: number) => Example {
  checkWeights(Object.fromEntries(sources.map(({ name, weight }) => [name, weight])), "mixture");
  const empty = sources.find(({ examples, weight }) => weight > 0 && examples.length === 0);
  if (empty)
    throw new AttuneError("usage", `mixture: "${empty.name}" has weight ${empty.weight} and no examples`);
  const weights = sources.map(({ weight }) => weight);
  const orderOf = createOrders(seed);

  // which source each position drew from, and how many examples that source had given before
  const choices: { source: number; nth: number }[] = [];
  const given = sources.map(() => 0);

  return (position) => {
    while (choices.length <= position) {
      const source = drawIndex(weights, createRandom(deriveSeed(seed, "mixture", choices.length)));
      choices.push({ source, nth: given[source]!++ });
    }
    const { source, nth } = choices[position]!;
    const { name, examples } = sources[source]!;
    const order = orderOf(name, Math.floor(nth / examples.length), examples.length);
    return examples[order[nth % examples.length]!]!;
  };
}

/** A shuffle for each pass over each source; the last one of a source is kept. */
function createOrders(seed: number): (name: string, epoch: number, length: number) => readonly number[] {
  const last = new Map<string, { epoch: number; order: readonly number[] }>();
  return (name, epoch, length) => {
    const known = last.get(name);
    if (known?.epoch === epoch) return known.order;
    const positions = Array.from({ length }, (_, index) => index);
    const order = createRandom(deriveSeed(seed, "order", name, epoch)).shuffle(positions);
    last.set(name, { epoch, order });
    return order;
  };
}
