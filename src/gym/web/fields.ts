import { type Html, html } from "./html.ts";

/** One control of a form. Values are strings everywhere; a checkbox is "yes" or "". */
export type Field = {
  name: string;
  label: string;
  control: "text" | "date" | "area" | "select" | "radio" | "checkbox";
  options?: readonly string[];
  required?: boolean;
};

export type Values = Record<string, string>;

/** The rows of a form, with the values they hold. */
export const fieldRows = (fields: readonly Field[], values: Values): Html[] =>
  fields.map((field) => fieldRow(field, values[field.name] ?? ""));

function fieldRow({ name, label, control, options = [] }: Field, value: string): Html {
  if (control === "radio") {
    const rows = options.map((option, index) => {
      const id = `${name}-${index}`;
      const checked = option === value && html` checked`;
      return html`<div class="row"><input type="radio" id="${id}" name="${name}" value="${option}"${checked}><label for="${id}">${option}</label></div>`;
    });
    return html`<div role="radiogroup" aria-label="${label}">${rows}</div>`;
  }
  const row = (field: Html) => html`<div class="row"><label for="${name}">${label}</label>${field}</div>`;
  switch (control) {
    case "text":
    case "date":
      return row(html`<input type="${control}" id="${name}" name="${name}" value="${value}">`);
    case "area":
      // a line break right after the tag is not part of the text, so one that is needs another before it
      return row(
        html`<textarea id="${name}" name="${name}">${value.startsWith("\n") && "\n"}${value}</textarea>`,
      );
    case "checkbox": {
      const checked = value === "yes" && html` checked`;
      return row(html`<input type="checkbox" id="${name}" name="${name}" value="yes"${checked}>`);
    }
    case "select": {
      const choices = options.map((option) => {
        const selected = option === value && html` selected`;
        return html`<option value="${option}"${selected}>${option}</option>`;
      });
      return row(html`<select id="${name}" name="${name}">${choices}</select>`);
    }
  }
}

/** What a form sent for the fields, with a line for each that cannot be taken. */
export function readFields(
  fields: readonly Field[],
  sent: URLSearchParams,
): { values: Values; alerts: string[] } {
  const values: Values = {};
  const alerts: string[] = [];
  for (const { name, label, control, options, required } of fields) {
    // forms send line breaks as two characters
    const value = (sent.get(name) ?? "").replaceAll("\r\n", "\n").trim();
    values[name] = value;
    if (required && value === "") alerts.push(`${label} is missing`);
    else if (value !== "" && options && !options.includes(value))
      alerts.push(`${label} is not one of the options`);
    else if (control === "date" && value !== "" && !isDate(value)) alerts.push(`${label} is not a date`);
  }
  return { values, alerts };
}

/** Whether text is a day of the calendar as YYYY-MM-DD. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < "0001") return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
