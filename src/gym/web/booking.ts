import { type Field, fieldRows, readFields, type Values } from "./fields.ts";
import { type Html, html } from "./html.ts";
import { address, notFound, page, type Reply, type Site } from "./site.ts";

export type Train = { from: string; to: string; leaves: string; price: number };

export type Booking = Values & {
  from: string;
  to: string;
  date: string;
  leaves: string;
  name: string;
  class: string;
  window: string;
};

export type BookingData = { trains: Train[]; bookings: Booking[] };

export const cities = ["Arden", "Brook", "Calder", "Dunmore", "Elm Bay"] as const;
export const classes = ["second", "first", "sleeper"] as const;

/** What one step of the wizard asks. */
type Step = { name: string; title: string; fields: readonly Field[] };

const links = [
  { href: "/trip", label: "Book" },
  { href: "/bookings", label: "Bookings" },
];

const steps: readonly Step[] = [
  {
    name: "trip",
    title: "Trip",
    fields: [
      { name: "from", label: "From", control: "select", options: cities },
      { name: "to", label: "To", control: "select", options: cities },
      { name: "date", label: "Date", control: "date", required: true },
    ],
  },
  {
    name: "train",
    title: "Train",
    fields: [{ name: "leaves", label: "Train", control: "radio", required: true }],
  },
  {
    name: "traveller",
    title: "Traveller",
    fields: [
      { name: "name", label: "Full name", control: "text", required: true },
      { name: "class", label: "Class", control: "select", options: classes },
      { name: "window", label: "Window seat", control: "checkbox" },
    ],
  },
  { name: "review", title: "Review", fields: [] },
];

/**
 * A ticket office: a wizard of three steps and a review. What was entered so far travels in the address from step to
 * step, so that going back is safe; nothing is booked before the last button.
 */
export const bookingSite: Site<BookingData> = {
  respond(data, { method, path: [root, more], query, fields: sent }) {
    if (more !== undefined) return notFound(links);
    if (root === "bookings" && method === "POST") {
      const { values, at } = entered(data, sent);
      if (at < steps.length - 1) return step(data, { values, at, alerts: [] });
      const booking = values as Booking;
      return { redirect: "/bookings?booked=1", data: { ...data, bookings: [...data.bookings, booking] } };
    }
    if (root === "bookings") return list(data, query);
    const asked = steps.findIndex(({ name }) => name === root);
    if (asked === -1) return notFound(links);
    // a step is shown once all before it are answered; else the first that is not
    const { values, at, alerts } = entered(data, query);
    return step(data, { values, at: Math.min(asked, at), alerts: at < asked ? alerts : [] });
  },
};

/** The values of all steps, and the first step that cannot be left yet, with the reasons. */
function entered(data: BookingData, sent: URLSearchParams) {
  let values: Values = {};
  for (const [at, { fields }] of steps.entries()) {
    const read = readFields(fields, sent);
    values = { ...values, ...read.values };
    const alerts = [...read.alerts];
    if (at === 0 && values.from === values.to) alerts.push("From and To are the same");
    if (at === 1 && values.leaves && !onRoute(data, values).some(({ leaves }) => leaves === values.leaves))
      alerts.push("There is no such train");
    if (alerts.length > 0 || at === steps.length - 1) return { values, at, alerts };
  }
  return { values, at: 0, alerts: [] };
}

const onRoute = ({ trains }: BookingData, { from, to }: Values) =>
  trains.filter((train) => train.from === from && train.to === to);

function step(
  data: BookingData,
  { values, at, alerts }: { values: Values; at: number; alerts: readonly string[] },
): Reply {
  const { title, fields } = steps[at]!;
  const isReview = at === steps.length - 1;
  const hidden = steps
    .slice(0, at)
    .flatMap(({ fields }) => fields)
    .filter(({ name }) => values[name])
    .map(({ name }) => html`<input type="hidden" name="${name}" value="${values[name]!}">`);
  const content: readonly Html[] =
    at === 1
      ? [trainTable(onRoute(data, values), values)]
      : isReview
        ? [review(data, values)]
        : fieldRows(fields, values);
  const form = isReview
    ? html`<form method="post" action="/bookings">${hidden}${content}<button>Confirm booking</button></form>`
    : html`<form method="get" action="/${steps[at + 1]!.name}" autocomplete="off">${hidden}${content}<button>Continue</button></form>`;
  const earlier = at > 0 && html`<a href="${address(`/${steps[at - 1]!.name}`, values)}">Previous step</a>`;
  return page({
    title: `${title} (${at + 1} of ${steps.length})`,
    links,
    alerts,
    body: html`${form}${earlier}`,
  });
}

function trainTable(trains: readonly Train[], values: Values): Html {
  if (trains.length === 0) return html`<p>No trains on this route.</p>`;
  return html`<table><thead><tr><th>Choose</th><th>Leaves</th><th>Price</th></tr></thead><tbody>${trains.map(
    ({ leaves, price }) =>
      html`<tr><td><input type="radio" name="leaves" value="${leaves}" aria-label="Train at ${leaves}"${leaves === values.leaves && html` checked`}></td><td>${leaves}</td><td>${price}</td></tr>`,
  )}</tbody></table>`;
}

function review(data: BookingData, values: Values): Html {
  const train = onRoute(data, values).find(({ leaves }) => leaves === values.leaves);
  const lines: [string, string][] = [
    ["Route", `${values.from} to ${values.to}`],
    ["Date", values.date!],
    ["Leaves", values.leaves!],
    ["Price", String(train?.price ?? "")],
    ["Name", values.name!],
    ["Class", values.class!],
    ["Window seat", values.window === "yes" ? "yes" : "no"],
  ];
  return html`<ul>${lines.map(([label, value]) => html`<li><span>${label}</span><span>${value}</span></li>`)}</ul>`;
}

function list({ bookings }: BookingData, query: URLSearchParams): Reply {
  return page({
    title: "Bookings",
    links,
    status: query.has("booked") && "Booked",
    body:
      bookings.length === 0
        ? html`<p>No bookings yet.</p>`
        : html`<table><thead><tr><th>Name</th><th>From</th><th>To</th><th>Date</th><th>Leaves</th><th>Class</th></tr></thead><tbody>${bookings.map(
            (booking) =>
              html`<tr><td>${booking.name}</td><td>${booking.from}</td><td>${booking.to}</td><td>${booking.date}</td><td>${booking.leaves}</td><td>${booking.class}</td></tr>`,
          )}</tbody></table>`,
  });
}
