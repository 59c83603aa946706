import type { ModelReply } from "./conversation.ts";

/** A reply as it comes: pieces of its text, then the whole of it. */
export type Piece = { text: string } | { reply: ModelReply };

export type Pieces = AsyncIterable<Piece>;

/**
 * Pieces of a reply that is being asked for. `first` is there with the first of them, and rejects where the reply
 * failed before it; a failure after it is thrown to whoever reads on.
 */
export function collectPieces(ask: (onText: (piece: string) => void) => Promise<ModelReply>): {
  first: Promise<void>;
  pieces: Pieces;
} {
  const waiting: Piece[] = [];
  const first = Promise.withResolvers<void>();
  let wake: (() => void) | undefined;
  let failure: { error: unknown } | undefined;
  const add = (piece: Piece) => {
    waiting.push(piece);
    first.resolve();
    wake?.();
  };
  ask((text) => add({ text })).then(
    (reply) => add({ reply }),
    (error: unknown) => {
      failure = { error };
      first.reject(error);
      wake?.();
    },
  );
  async function* read(): AsyncGenerator<Piece> {
    for (;;) {
      const piece = waiting.shift();
      if (piece !== undefined) {
        yield piece;
        if ("reply" in piece) return;
      } else if (failure) throw failure.error;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return { first: first.promise, pieces: read() };
}
