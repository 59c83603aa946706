import { type Field, fieldRows, readFields, type Values } from "./fields.ts";
import { type Html, html } from "./html.ts";
import { notFound, page, paged, pager, type Reply, type Site } from "./site.ts";

export type Mail = {
  id: number;
  folder: string;
  from: string;
  to: string;
  subject: string;
  date: string;
  starred: boolean;
  text: string;
};

export type MailData = { mails: Mail[] };

/** The day it is in the mail site. */
export const today = "2026-06-30";

export const owner = "me@post.test";
export const folders = ["inbox", "archive", "receipts", "spam", "sent"] as const;
/** Folders that a mail can be moved to. */
export const shelves = ["inbox", "archive", "receipts", "spam"] as const;
export const mailsOnPage = 8;

const fields: readonly Field[] = [
  { name: "to", label: "To", control: "text", required: true },
  { name: "subject", label: "Subject", control: "text", required: true },
  { name: "text", label: "Text", control: "area", required: true },
];

const links = [
  ...folders.map((folder) => ({ href: `/${folder}`, label: named(folder) })),
  { href: "/compose", label: "Compose" },
];

export function named(folder: string): string {
  return `${folder[0]!.toUpperCase()}${folder.slice(1)}`;
}

/** A mailbox: folders with pages, mails that are starred, moved by a menu, answered and written. */
export const mailSite: Site<MailData> = {
  respond(data, { method, path, query, fields: sent }) {
    const [root, part, action] = path;
    const folder = folders.find((folder) => folder === root);
    if (folder && part === undefined) return list(data, { folder, query });
    if (root === "compose" && part === undefined) {
      const original = data.mails.find(({ id }) => String(id) === query.get("reply"));
      if (method === "GET")
        return compose(original ? { to: original.from, subject: `Re: ${original.subject}` } : {});
      const { values, alerts } = readFields(fields, sent);
      if (!/^\S+@\S+$/.test(values.to ?? "") && values.to !== "") alerts.push("To is not an address");
      return alerts.length > 0 ? compose(values, alerts) : send(data, values);
    }
    const mail = root === "mail" ? data.mails.find(({ id }) => String(id) === part) : undefined;
    if (!mail) return notFound(links);
    const change = (changed: Partial<Mail>) => ({
      redirect: `/mail/${mail.id}`,
      data: { mails: data.mails.map((other) => (other === mail ? { ...mail, ...changed } : other)) },
    });
    if (action === undefined) return show(mail);
    if (method === "POST" && action === "star") return change({ starred: !mail.starred });
    const shelf = shelves.find((shelf) => shelf === sent.get("to"));
    if (method === "POST" && action === "move" && shelf) return change({ folder: shelf });
    return notFound(links);
  },
};

function send(data: MailData, values: Values): Reply & { data: MailData } {
  const mail = {
    id: Math.max(0, ...data.mails.map(({ id }) => id)) + 1,
    folder: "sent",
    from: owner,
    ...values,
    date: today,
    starred: false,
  } as Mail;
  return { redirect: "/sent?sent=1", data: { mails: [...data.mails, mail] } };
}

function list({ mails }: MailData, { folder, query }: { folder: string; query: URLSearchParams }): Reply {
  const inside = mails
    .filter((mail) => mail.folder === folder)
    .toSorted((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : b.id - a.id));
  const { number, pages, items } = paged(inside, { page: Number(query.get("page") ?? 1), size: mailsOnPage });
  const row = ({ id, from, to, subject, date, starred }: Mail): Html =>
    html`<tr><td>${folder === "sent" ? to : from}</td><td><a href="/mail/${id}">${subject}</a></td><td>${date}</td><td>${starred ? "starred" : ""}</td></tr>`;
  return page({
    title: named(folder),
    links,
    status: query.has("sent") && "Sent",
    body: html`<table><thead><tr><th>${folder === "sent" ? "To" : "From"}</th><th>Subject</th><th>Date</th><th>Star</th></tr></thead><tbody>${items.map(row)}</tbody></table>${pager({ number, pages }, (page) => `/${folder}?page=${page}`)}`,
  });
}

function show(mail: Mail): Reply {
  const { id, folder, from, to, subject, date, starred, text } = mail;
  return page({
    title: subject,
    links,
    body: html`<p>From ${from} to ${to}, ${date}, in ${named(folder)}</p>${text
      .split("\n")
      .map(
        (line) => html`<p>${line}</p>`,
      )}<div class="row"><a href="/compose?reply=${id}">Reply</a><form method="post" action="/mail/${id}/star"><button>${starred ? "Remove star" : "Add star"}</button></form></div><details><summary>Move to</summary><form method="post" action="/mail/${id}/move">${shelves
      .filter((shelf) => shelf !== folder)
      .map((shelf) => html`<button name="to" value="${shelf}">${named(shelf)}</button>`)}</form></details>`,
  });
}

function compose(values: Values, alerts: readonly string[] = []): Reply {
  return page({
    title: "Compose",
    links,
    alerts,
    body: html`<form method="post" action="/compose" autocomplete="off">${fieldRows(fields, values)}<button>Send</button></form>`,
  });
}
