/**
 * The tokens of a growing conversation. A view stays what it is when the conversation goes on: tokens are only ever
 * added behind it, so a turn costs what it adds and not what came before.
 */
export type PromptTokens = {
  readonly length: number;
  append(tokens: Int32Array): void;
  /** All tokens so far, without a copy. Not to be written to. */
  view(): Int32Array;
};

export function createPromptTokens(opening: Int32Array): PromptTokens {
  let tokens = opening;
  let length = opening.length;
  return {
    get length() {
      return length;
    },
    append(added) {
      if (length + added.length > tokens.length) {
        const wider = new Int32Array(Math.max(2 * tokens.length, length + added.length));
        wider.set(tokens.subarray(0, length));
        tokens = wider;
      }
      tokens.set(added, length);
      length += added.length;
    },
    view: () => tokens.subarray(0, length),
  };
}
