import { z } from "zod";
import { deriveSeed } from "../kit/random.ts";
import type { Embedder } from "../spec/embedder.ts";
import { AttuneError } from "../spec/error.ts";
import { askOpenAi, patient, toEndpoint } from "./chat/open-ai-request.ts";
import { type Patience, withPatience } from "./chat/patience.ts";

export type OpenAiEmbedderOptions = {
  /** Where the protocol is spoken, as `http://localhost:8080/v1`. */
  baseUrl: string;
  model: string;
  /** Sent as a bearer token. */
  key?: string;
  patience?: Partial<Patience>;
};

const answer = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: z.array(z.number()).min(1) })),
});

/**
 * An embedding model behind any endpoint that speaks OpenAI's `/embeddings` (text-embeddings-inference, vLLM, Ollama,
 * OpenAI). Fails as `openAiChatModel` does.
 */
export function openAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  const url = toEndpoint(options.baseUrl, "embeddings");
  const patience = { ...patient, ...options.patience };
  const contact = { made: false };
  let requests = 0;
  return {
    name: options.model,
    embed(texts, { signal = new AbortController().signal }) {
      const body = { model: options.model, input: [...texts], encoding_format: "float" };
      const seed = deriveSeed(0, "embeddings", requests++);
      const attempt = () =>
        askOpenAi(url, body, { ...options, contact, signal }, (value, who) =>
          toVectors(value, texts.length, who),
        );
      return withPatience(attempt, { ...patience, seed, signal });
    },
  };
}

function toVectors(value: unknown, count: number, who: string): Float32Array[] {
  const read = answer.safeParse(value);
  const vectors: (Float32Array | undefined)[] = Array.from({ length: count });
  for (const { index, embedding } of read.data?.data ?? [])
    if (index < count) vectors[index] = Float32Array.from(embedding);
  const [first] = vectors;
  if (vectors.every((vector) => vector !== undefined && vector.length === first!.length))
    return vectors as Float32Array[];
  const got = JSON.stringify(value)?.slice(0, 120);
  throw new AttuneError("environment", `${who}: got ${got}, expected data of ${count} embeddings`);
}
