/** One part of what an MCP tool gives back, as far as it is known here. */
export type ContentPart = { type: string; [field: string]: unknown };

export type McpToolResult = {
  content?: readonly ContentPart[] | undefined;
  structuredContent?: unknown;
  isError?: boolean | undefined;
};

/**
 * What an MCP tool gave back as text: its texts as they are, and of everything else what it was, so that the policy
 * knows that something is not shown.
 */
export function toText({ content = [], structuredContent }: McpToolResult): string {
  const text = content.map(partToText).join("\n");
  if (text !== "") return text;
  return structuredContent === undefined ? "ok" : JSON.stringify(structuredContent);
}

function partToText(part: ContentPart): string {
  switch (part.type) {
    case "text":
      return asText(part.text);
    case "image":
    case "audio":
      return `[${part.type} ${asText(part.mimeType)}, ${bytesIn(part.data)} bytes, not shown]`;
    case "resource_link": {
      const about = [part.name, part.description].filter(Boolean).map(asText).join(": ");
      return `[link ${asText(part.uri)}${about ? ` ${about}` : ""}]`;
    }
    case "resource": {
      const { uri, text, mimeType, blob } = part.resource as Record<string, unknown>;
      if (typeof text === "string") return `[resource ${asText(uri)}]\n${text}`;
      return `[resource ${asText(uri)} ${asText(mimeType)}, ${bytesIn(blob)} bytes, not shown]`;
    }
    default:
      return `[${part.type}, not shown]`;
  }
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");

const bytesIn = (base64: unknown) =>
  typeof base64 === "string" ? Buffer.from(base64, "base64").byteLength : 0;
