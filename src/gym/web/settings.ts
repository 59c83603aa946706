import { type Field, fieldRows, readFields, type Values } from "./fields.ts";
import { html } from "./html.ts";
import { notFound, page, type Site } from "./site.ts";

/** An account's preferences, by section. */
export type SettingsData = Record<string, Values>;

export type Section = { name: string; title: string; fields: readonly Field[] };

const yesNo = (name: string, label: string): Field => ({ name, label, control: "checkbox" });

export const sections: readonly Section[] = [
  {
    name: "profile",
    title: "Profile",
    fields: [
      { name: "name", label: "Full name", control: "text", required: true },
      { name: "email", label: "Email", control: "text", required: true },
      { name: "birthday", label: "Birthday", control: "date" },
      { name: "city", label: "City", control: "text" },
      {
        name: "language",
        label: "Language",
        control: "select",
        options: ["English", "French", "German", "Spanish", "Turkish"],
      },
    ],
  },
  {
    name: "notifications",
    title: "Notifications",
    fields: [
      yesNo("newsletter", "Newsletter"),
      yesNo("mentions", "Mentions"),
      yesNo("replies", "Replies"),
      yesNo("reminders", "Reminders"),
      yesNo("invitations", "Invitations"),
      yesNo("surveys", "Surveys"),
      yesNo("outages", "Outages"),
      yesNo("invoices", "Invoices"),
      { name: "digest", label: "Digest", control: "radio", options: ["never", "daily", "weekly", "monthly"] },
      { name: "channel", label: "Channel", control: "select", options: ["email", "phone", "none"] },
      { name: "quiet", label: "Quiet until", control: "date" },
      yesNo("sound", "Sound"),
      yesNo("badge", "Badge"),
      yesNo("preview", "Preview"),
      yesNo("weekend", "Weekend"),
    ],
  },
  {
    name: "privacy",
    title: "Privacy",
    fields: [
      {
        name: "visibility",
        label: "Visibility",
        control: "radio",
        options: ["everyone", "team", "only me"],
      },
      yesNo("activity", "Show activity"),
      yesNo("search", "Show in search"),
      {
        name: "keep",
        label: "Keep history",
        control: "select",
        options: ["30 days", "90 days", "1 year", "forever"],
      },
    ],
  },
];

const links = sections.map(({ name, title }) => ({ href: `/${name}`, label: title }));

/** Settings in three sections, each a form with a button that saves it. */
export const settingsSite: Site<SettingsData> = {
  respond(data, { method, path, query, fields: sent }) {
    const section = sections.find(({ name }) => path.length === 1 && name === path[0]);
    if (!section) return notFound(links);
    const { name, title, fields } = section;
    const show = (values: Values, alerts: readonly string[] = []) =>
      page({
        title,
        links,
        status: query.has("saved") && alerts.length === 0 && "Saved",
        alerts,
        body: html`<form method="post" action="/${name}" autocomplete="off">${fieldRows(fields, values)}<button>Save</button></form>`,
      });
    if (method === "GET") return show(data[name]!);
    const { values, alerts } = readFields(fields, sent);
    if (alerts.length > 0) return show(values, alerts);
    return { redirect: `/${name}?saved=1`, data: { ...data, [name]: values } };
  },
};
