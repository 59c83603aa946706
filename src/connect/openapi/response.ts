import { AttuneError } from "../../spec/error.ts";
import { type ApiRequest, isWithin } from "./request.ts";

/** A response as far as it was read. */
export type ApiResponse = { status: number; text: string };

const mostRedirects = 5;

/**
 * Sends a request and reads at most `maxBytes` of what comes back. A redirect is followed only inside the base, so
 * that the user's headers go nowhere else. Throws `AttuneError` (environment) where there is no usable response.
 */
export async function send(
  { url, method, headers, body }: ApiRequest,
  { name, base, maxBytes, signal }: { name: string; base: URL; maxBytes: number; signal: AbortSignal },
): Promise<ApiResponse> {
  const failed = (message: string, cause?: unknown) =>
    new AttuneError("environment", `tool "${name}": ${method} ${url.pathname}: ${message}`, { cause });
  let target = url;
  let sent: RequestInit = { method, headers, ...(body !== undefined && { body }) };
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    let response: Response;
    try {
      response = await fetch(target, { ...sent, redirect: "manual", signal });
    } catch (error) {
      signal.throwIfAborted();
      throw failed(reasonOf(error), error);
    }
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null)
      return { status: response.status, text: await textOf(response, { maxBytes, signal, failed }) };
    await response.body?.cancel();
    if (!URL.canParse(location, target.href))
      throw failed(`redirected to "${location}", which is no address`);
    target = new URL(location, target);
    if (!isWithin(target, base))
      throw failed(`redirected to ${target.origin}${target.pathname}, outside ${base.href}`);
    if (response.status < 307 && method !== "HEAD") {
      headers.delete("content-type");
      sent = { method: "GET", headers };
    }
  }
  throw failed(`redirected more than ${mostRedirects} times`);
}

async function textOf(
  response: Response,
  {
    maxBytes,
    signal,
    failed,
  }: { maxBytes: number; signal: AbortSignal; failed: (message: string, cause?: unknown) => Error },
): Promise<string> {
  const type = response.headers.get("content-type") ?? "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  let cut = false;
  try {
    for await (const chunk of response.body ?? []) {
      const left = maxBytes - size;
      chunks.push(chunk.subarray(0, left));
      size += Math.min(chunk.length, left);
      cut = chunk.length > left;
      // leaving the loop stops the download
      if (cut) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw failed(`the response broke off: ${reasonOf(error)}`, error);
  }
  if (size > 0 && !isText(type)) return `[${type}, ${cut ? "more than " : ""}${size} bytes, not shown]`;
  const text = new TextDecoder().decode(Buffer.concat(chunks)).replace(cut ? /\uFFFD$/ : /$^/, "");
  return cut ? `${text}… (more than ${maxBytes} bytes)` : text;
}

const isText = (type: string) =>
  type === "" || /^text\/|json|xml|yaml|javascript|x-www-form-urlencoded|graphql/i.test(type);

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  return (cause?.message || cause?.code || message).split("\n", 1)[0]!;
}
