import type { Json, JsonObject } from "../spec/json.ts";

/**
 * What a user's message held beside its text, as parts of chat completions: images as any of the three dialects
 * writes them. Undefined where there is nothing that could be sent on.
 */
export function toChatParts(extra: Json | undefined): Json | undefined {
  if (!Array.isArray(extra)) return undefined;
  const parts = extra.flatMap((each): Json[] => {
    const part = toChatPart(each as JsonObject);
    return part === undefined ? [] : [part];
  });
  return parts.length > 0 ? parts : undefined;
}

function toChatPart(part: JsonObject): JsonObject | undefined {
  switch (part["type"]) {
    // chat completions
    case "image_url":
    case "input_audio":
    case "file":
      return part;
    // responses
    case "input_image": {
      const { image_url: url, detail } = part;
      if (typeof url !== "string") return undefined;
      return { type: "image_url", image_url: { url, ...(detail !== undefined && { detail }) } };
    }
    // messages
    case "image": {
      const source = part["source"] as JsonObject | undefined;
      if (source?.["type"] === "url") return { type: "image_url", image_url: { url: source["url"]! } };
      const { media_type: media, data } = source ?? {};
      if (source?.["type"] !== "base64" || typeof media !== "string" || typeof data !== "string")
        return undefined;
      return { type: "image_url", image_url: { url: `data:${media};base64,${data}` } };
    }
    default:
      return undefined;
  }
}
