import { lookup as resolveName } from "node:dns";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { pipeline } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { WebPage } from "../../spec/web.ts";

export type PublicPageOptions = {
  timeoutMs?: number;
  /** Bytes of a page that are read, unpacked. */
  maxBytes?: number;
  /** Lets addresses of this machine and its network be read, as a test's server. */
  allowPrivate?: boolean;
  signal?: AbortSignal;
};

/** What a browser sends; without it many sites answer nobody. */
const headers = {
  "user-agent":
    "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "accept-language": "en-US,en;q=0.9",
  "accept-encoding": "gzip, deflate, br",
};

const mostRedirects = 10;

/**
 * Reads a page whose address a model has named. Only what everybody can reach is read: each connection, redirected
 * ones too, is refused when its address is of this machine or a private network. Whatever goes wrong is the page's
 * error. Throws the signal's reason.
 */
export async function openPublicPage(url: string, options: PublicPageOptions = {}): Promise<WebPage> {
  const { timeoutMs = 20_000, maxBytes = 8 * 2 ** 20, allowPrivate = false, signal } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    let target = new URL(url);
    for (let count = 0; count <= mostRedirects; count++) {
      const response = await ask(target, { allowPrivate, signal: either });
      const { statusCode = 0, statusMessage = "" } = response;
      const { location } = response.headers;
      if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
        response.destroy();
        target = new URL(location, target);
        continue;
      }
      if (statusCode >= 400) {
        response.destroy();
        const side = statusCode < 500 ? "Client" : "Server";
        return { error: `${statusCode} ${side} Error: ${statusMessage} for url: ${target.href}` };
      }
      return { html: await textOf(response, maxBytes) };
    }
    return { error: `Exceeded ${mostRedirects} redirects.` };
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.aborted) return { error: `Read timed out. (read timeout=${timeoutMs / 1000})` };
    return { error: (error as Error).message };
  }
}

function ask(
  target: URL,
  { allowPrivate, signal }: { allowPrivate: boolean; signal: AbortSignal },
): Promise<IncomingMessage> {
  if (!/^https?:$/.test(target.protocol))
    throw new Error(`No connection adapters were found for '${target.href}'`);
  const host = target.hostname.replace(/^\[|\]$/g, "");
  // a number is not looked up
  if (!allowPrivate && isIP(host) !== 0 && isPrivate(host)) throw new Error(refusal(host));
  const request = target.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    request(
      target,
      { headers, signal, agent: false, ...(!allowPrivate && { lookup: publicLookup }) },
      resolve,
    )
      .on("error", reject)
      .end();
  });
}

/** The check is made on the very address that is connected to, so that a name cannot change in between. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, "");
    const found = addresses.find(({ address }) => isPrivate(address));
    if (found) return callback(new Error(refusal(hostname)), "");
    if (options.all) return callback(null, addresses);
    const [{ address, family } = { address: "", family: 4 }] = addresses;
    return callback(null, address, family);
  });
};

const refusal = (host: string) => `${host} is an address of this machine or of a private network`;

const privateAddresses = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  privateAddresses.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [
  ["::", 127],
  ["64:ff9b::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  privateAddresses.addSubnet(network, bits, "ipv6");

/** An IPv4 address inside of an IPv6 one is checked as what it is. */
function isPrivate(address: string): boolean {
  return privateAddresses.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of unpacked(response)) {
    bytes += (part as Buffer).length;
    if (bytes > maxBytes) {
      response.destroy();
      throw new Error(`the page is longer than ${maxBytes} bytes`);
    }
    parts.push(part as Buffer);
  }
  const content = Buffer.concat(parts);
  const charset = /charset=["']?([\w-]+)/i.exec(response.headers["content-type"] ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(content);
  } catch {
    return new TextDecoder().decode(content);
  }
}

function unpacked(response: IncomingMessage): AsyncIterable<unknown> {
  const unpack = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress }[
    response.headers["content-encoding"] ?? ""
  ];
  // the error of a broken stream comes out where it is read
  return unpack === undefined ? response : pipeline(response, unpack(), () => {});
}
