import { type Field, fieldRows, readFields, type Values } from "./fields.ts";
import { type Html, html } from "./html.ts";
import { address, notFound, page, paged, pager, type Reply, type Site } from "./site.ts";

export type Issue = {
  id: number;
  title: string;
  status: string;
  priority: string;
  assignee: string;
  due: string;
  notes: string;
};

export type TrackerData = { issues: Issue[] };

export const people = ["Ana", "Bilal", "Chen", "Dora", "Emil", "Farah"] as const;
export const statuses = ["open", "started", "closed"] as const;
export const priorities = ["low", "medium", "high", "urgent"] as const;
export const issuesOnPage = 8;

const columns = ["title", "status", "priority", "assignee", "due"] as const;
type Column = (typeof columns)[number];

/** How a column is headed; a link under this name sorts by it. */
export const heading = (column: Column) => `${column[0]!.toUpperCase()}${column.slice(1)}`;

const fields: readonly Field[] = [
  { name: "title", label: "Title", control: "text", required: true },
  { name: "status", label: "Status", control: "select", options: statuses },
  { name: "priority", label: "Priority", control: "select", options: priorities },
  { name: "assignee", label: "Assignee", control: "select", options: people },
  { name: "due", label: "Due", control: "date", required: true },
  { name: "notes", label: "Notes", control: "area" },
];

const links = [
  { href: "/issues", label: "Issues" },
  { href: "/issues/new", label: "New issue" },
];

/** An issue tracker: a table with search, filter, sorting and pages; issues that are made, changed and deleted. */
export const trackerSite: Site<TrackerData> = {
  respond(data, request) {
    const { method, path, query, fields: sent } = request;
    const [root, part, action] = path;
    if (root !== "issues" || path.length > 3) return notFound(links);
    if (part === undefined) return list(data, query);
    if (part === "close" && method === "POST") return closeSelected(data, sent);
    if (part === "new")
      return method === "POST" ? create(data, sent) : form({ title: "New issue", to: "/issues/new" });
    const issue = data.issues.find(({ id }) => String(id) === part);
    if (!issue) return notFound(links);
    const to = `/issues/${issue.id}`;
    if (action === undefined) return show(issue, query);
    if (action === "edit" && method === "GET") return form({ title: "Edit issue", to: `${to}/edit`, issue });
    if (action === "edit") {
      const { values, alerts } = readFields(fields, sent);
      if (alerts.length > 0) return form({ title: "Edit issue", to: `${to}/edit`, issue: values, alerts });
      const issues = data.issues.map((other) =>
        other === issue ? ({ ...issue, ...values } as Issue) : other,
      );
      return { redirect: `${to}?saved=1`, data: { issues } };
    }
    if (action === "delete" && method === "POST")
      return {
        redirect: "/issues?deleted=1",
        data: { issues: data.issues.filter((other) => other !== issue) },
      };
    return notFound(links);
  },
};

function create(data: TrackerData, sent: URLSearchParams): Reply & { data?: TrackerData } {
  const { values, alerts } = readFields(fields, sent);
  if (alerts.length > 0) return form({ title: "New issue", to: "/issues/new", issue: values, alerts });
  const id = Math.max(0, ...data.issues.map(({ id }) => id)) + 1;
  return {
    redirect: `/issues/${id}?saved=1`,
    data: { issues: [...data.issues, { id, ...values } as Issue] },
  };
}

function closeSelected(data: TrackerData, sent: URLSearchParams): Reply & { data?: TrackerData } {
  const chosen = new Set(sent.getAll("issue"));
  if (chosen.size === 0) return { redirect: "/issues?none=1" };
  const issues = data.issues.map((issue) =>
    chosen.has(String(issue.id)) ? { ...issue, status: "closed" } : issue,
  );
  return { redirect: "/issues?saved=1", data: { issues } };
}

function list({ issues }: TrackerData, query: URLSearchParams): Reply {
  const asked = { search: query.get("search") ?? "", status: query.get("status") ?? "any" };
  const sort = columns.find((column) => column === query.get("sort"));
  const order = query.get("order") === "down" ? "down" : "up";
  const found = issues.filter(
    ({ title, assignee, status }) =>
      `${title} ${assignee}`.toLowerCase().includes(asked.search.trim().toLowerCase()) &&
      (asked.status === "any" || asked.status === status),
  );
  const sorted = sort ? found.toSorted((a, b) => inOrder(a, b, sort) * (order === "up" ? 1 : -1)) : found;
  const { number, pages, items } = paged(sorted, {
    page: Number(query.get("page") ?? 1),
    size: issuesOnPage,
  });
  const kept = { search: asked.search, status: asked.status === "any" ? "" : asked.status };
  const header = columns.map((column) => {
    const turned = sort === column && order === "up" ? "down" : "up";
    return html`<th><a href="${address("/issues", { ...kept, sort: column, order: turned })}">${heading(column)}</a></th>`;
  });
  return page({
    title: "Issues",
    links,
    status: (query.has("deleted") && "Deleted") || (query.has("saved") && "Saved"),
    alerts: query.has("none") ? ["Nothing is selected"] : [],
    body: html`<form method="get" action="/issues" aria-label="Filter" autocomplete="off">${fieldRows(
      [
        { name: "search", label: "Search", control: "text" },
        { name: "status", label: "Status", control: "select", options: ["any", ...statuses] },
      ],
      asked,
    )}<button>Apply</button></form><form method="post" action="/issues/close" autocomplete="off"><table><thead><tr><th>Select</th>${header}</tr></thead><tbody>${items.map(row)}</tbody></table><button>Close selected</button></form>${pager({ number, pages }, (page) => address("/issues", { ...kept, sort, order: sort && order, page }))}`,
  });
}

function row({ id, title, status, priority, assignee, due }: Issue): Html {
  return html`<tr><td><input type="checkbox" name="issue" value="${id}" aria-label="Select ${title}"></td><td><a href="/issues/${id}">${title}</a></td><td>${status}</td><td>${priority}</td><td>${assignee}</td><td>${due}</td></tr>`;
}

/** Status and priority go by their order, not by their letters. */
function inOrder(a: Issue, b: Issue, column: Column): number {
  const ranks: Partial<Record<Column, readonly string[]>> = { status: statuses, priority: priorities };
  const ranked = ranks[column];
  if (ranked) return ranked.indexOf(a[column]) - ranked.indexOf(b[column]);
  return a[column] < b[column] ? -1 : a[column] > b[column] ? 1 : 0;
}

function show(issue: Issue, query: URLSearchParams): Reply {
  const to = `/issues/${issue.id}`;
  return page({
    title: issue.title,
    links,
    status: query.has("saved") && "Saved",
    dialog: query.has("delete") && {
      label: `Delete ${issue.title}?`,
      body: html`<form method="post" action="${to}/delete"><p>This cannot be undone.</p><button>Delete for good</button></form><a href="${to}">Cancel</a>`,
    },
    body: html`<ul>${[...columns.slice(1), "notes" as const].map(
      (name) =>
        html`<li><span>${name[0]!.toUpperCase() + name.slice(1)}</span><span>${issue[name]}</span></li>`,
    )}</ul><div class="row"><a href="${to}/edit">Edit</a><a href="${to}?delete=1">Delete</a></div>`,
  });
}

function form({
  title,
  to,
  issue = {},
  alerts = [],
}: {
  title: string;
  to: string;
  issue?: Issue | Values;
  alerts?: readonly string[];
}): Reply {
  return page({
    title,
    links,
    alerts,
    body: html`<form method="post" action="${to}" autocomplete="off">${fieldRows(fields, issue as Values)}<button>Save</button></form>`,
  });
}
