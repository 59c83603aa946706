import { type Html, html } from "./html.ts";
import { stylesheet } from "./layout.ts";

export type PageRequest = {
  method: "GET" | "POST";
  /** Segments of the path. */
  path: string[];
  query: URLSearchParams;
  /** What a form sent. */
  fields: URLSearchParams;
};

/** A document, or the address to go to instead. */
export type Reply = { document: string } | { redirect: string };

/**
 * A site is a reducer: a request and the data so far give a reply and, where something changed, the data from now
 * on. Pages hold no script; links, forms, menus (`details`) and dialogs are all the behaviour there is.
 */
export type Site<Data = unknown> = {
  respond(data: Data, request: PageRequest): Reply & { data?: Data };
};

export type Link = { href: string; label: string };

/**
 * A whole page. A dialog stands first and takes everything else out of use until it is answered.
 */
export function page({
  title,
  links,
  status,
  alerts = [],
  dialog,
  body,
}: {
  title: string;
  links: readonly Link[];
  status?: string | false;
  alerts?: readonly string[];
  dialog?: { label: string; body: Html } | false;
  body: Html;
}): Reply {
  const inert = dialog ? html` inert` : html``;
  const { markup } =
    html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,"><style>${{ markup: stylesheet }}</style></head><body>${
      dialog && html`<dialog open aria-label="${dialog.label}">${dialog.body}</dialog>`
    }<nav${inert}>${links.map(({ href, label }) => html`<a href="${href}">${label}</a>`)}</nav><main${inert}><h1>${title}</h1>${
      status && html`<p role="status">${status}</p>`
    }${alerts.map((alert) => html`<p role="alert">${alert}</p>`)}${body}</main></body></html>`;
  return { document: markup };
}

/** What an address that leads nowhere shows. */
export const notFound = (links: readonly Link[]): Reply =>
  page({ title: "Not found", links, body: html`<p>There is no such page.</p>` });

/** An address with a query, without its empty parts. */
export function address(path: string, query: Record<string, string | number | undefined> = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return parts.length === 0 ? path : `${path}?${new URLSearchParams(parts).toString()}`;
}

/** Some of a list by page number; a number that is none is the nearest one that is. */
export function paged<Item>(items: readonly Item[], { page, size }: { page: number; size: number }) {
  const pages = Math.max(1, Math.ceil(items.length / size));
  const number = Math.min(Math.max(1, Number.isSafeInteger(page) ? page : 1), pages);
  return { number, pages, items: items.slice((number - 1) * size, number * size) };
}

/** Links to the pages beside this one. */
export function pager(
  { number, pages }: { number: number; pages: number },
  to: (page: number) => string,
): Html {
  return html`<div class="row"><span>Page ${number} of ${pages}</span>${
    number > 1 && html`<a href="${to(number - 1)}">Previous</a>`
  }${number < pages && html`<a href="${to(number + 1)}">Next</a>`}</div>`;
}
