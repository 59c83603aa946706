import { existsSync } from "node:fs";
import { openAiEmbedder } from "../connect/embeddings.ts";
import { serpApi } from "../connect/web/serp-api.ts";
import { loadSentenceEncoder } from "../engine/sentence-encoder.ts";
import { memoryWorlds } from "../eval/bfcl/agentic/memory-worlds.ts";
import { recordedWeb, replayedWeb } from "../eval/bfcl/agentic/web-record.ts";
import { webWorlds } from "../eval/bfcl/agentic/web-worlds.ts";
import { joinWorlds, multiTurnWorlds, type Worlds } from "../eval/bfcl/run/world.ts";
import type { Embedder } from "../spec/embedder.ts";
import { AttuneError } from "../spec/error.ts";
import type { WebEngine } from "../spec/web.ts";

export type WorldOptions = {
  embedder?: string;
  embedderUrl?: string;
  web?: string;
  webLive: boolean;
};

/** Where the calls of each category are executed, as far as what they need was given. */
export async function openBfclWorlds(owner: string, options: WorldOptions) {
  const engine = openWeb(options);
  const embedder = await openEmbedder(options);
  const worlds: Worlds = joinWorlds([
    multiTurnWorlds(owner),
    memoryWorlds(owner, { embedder }),
    webWorlds(owner, { engine }),
  ]);
  return {
    worlds,
    names: { embedder: embedder?.name, web: engine?.name },
    close: async () => embedder?.close?.(),
  };
}

/** A folder of a Sentence Transformers model, or a model behind an OpenAI-compatible endpoint. */
async function openEmbedder({ embedder, embedderUrl }: WorldOptions): Promise<Embedder | undefined> {
  if (embedder === undefined) {
    if (embedderUrl !== undefined)
      throw new AttuneError("usage", "eval bfcl: --embedder-url needs --embedder MODEL");
    return undefined;
  }
  if (embedderUrl === undefined && existsSync(embedder)) return loadSentenceEncoder({ directory: embedder });
  const baseUrl = embedderUrl ?? process.env["OPENAI_BASE_URL"] ?? "https://api.openai.com/v1";
  const key = process.env["OPENAI_API_KEY"];
  return openAiEmbedder({ baseUrl, model: embedder, ...(key && { key }) });
}

function openWeb({ web, webLive }: WorldOptions): WebEngine | undefined {
  if (!webLive) return web === undefined ? undefined : replayedWeb({ file: web });
  const key = process.env["SERPAPI_API_KEY"];
  if (!key) throw new AttuneError("usage", "eval bfcl: --web-live needs a key in SERPAPI_API_KEY");
  const live = serpApi({ key });
  return web === undefined ? live : recordedWeb(live, { file: web });
}
