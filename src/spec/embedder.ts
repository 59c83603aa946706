/** Puts texts into a space where what means the same lies close together. */
export interface Embedder {
  name: string;
  /** One vector for each text, all of one length. Their length need not be 1. */
  embed(texts: readonly string[], options: { signal?: AbortSignal }): Promise<Float32Array[]>;
  close?(): Promise<void>;
}
