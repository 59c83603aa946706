import { AttuneError } from "../../spec/error.ts";
import type { Json } from "../../spec/json.ts";
import { bookingSite } from "./booking.ts";
import { mailSite } from "./mail.ts";
import { settingsSite } from "./settings.ts";
import type { PageRequest, Reply, Site } from "./site.ts";
import { trackerSite } from "./tracker.ts";

const sites: Record<string, Site> = {
  settings: settingsSite as unknown as Site,
  tracker: trackerSite as unknown as Site,
  mail: mailSite as unknown as Site,
  booking: bookingSite as unknown as Site,
};

/** Where every site lives. No such host exists (RFC 6761 reserves `.test`): nothing is asked of a network. */
export const origin = "http://site.test";

/** A site with the data of one session. Data are replaced and never changed, so sessions share what they began with. */
export type Server = {
  readonly data: Json;
  request(request: { method: string; url: string; body?: string }): Reply;
};

export function createServer({ site: name, data }: { site: string; data: Json }): Server {
  const site = sites[name];
  if (!site)
    throw new AttuneError(
      "input",
      `environment "web": no site "${name}"; there are ${Object.keys(sites).join(", ")}`,
    );
  let current = data;
  return {
    get data() {
      return current;
    },
    request({ method, url, body = "" }) {
      const { pathname, searchParams } = new URL(url, origin);
      const request: PageRequest = {
        method: method === "POST" ? "POST" : "GET",
        path: pathname.split("/").filter((part) => part !== ""),
        query: searchParams,
        fields: new URLSearchParams(body),
      };
      const { data: next, ...reply } = site.respond(current, request);
      if (next !== undefined) current = next as Json;
      return reply;
    },
  };
}
