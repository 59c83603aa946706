import type { Random } from "../../kit/random.ts";
import { change, dayOf, type Goal, type PlanStep, question } from "./goal.ts";
import {
  heading,
  type Issue,
  issuesOnPage,
  people,
  priorities,
  statuses,
  type TrackerData,
} from "./tracker.ts";

const things = [
  "door",
  "printer",
  "lamp",
  "heater",
  "screen",
  "router",
  "chair",
  "window",
  "phone",
  "badge",
  "lock",
];
const troubles = ["is broken", "is missing", "makes noise", "is slow", "needs paint", "leaks", "was moved"];
const notes = [
  "Seen on Monday",
  "Ask the desk first",
  "Parts are ordered",
  "",
  "Second report",
  "Urgent for the visit",
];

const drawTitle = (random: Random) => {
  const thing = random.pick(things);
  return `${thing[0]!.toUpperCase()}${thing.slice(1)} ${random.pick(troubles)}`;
};

function drawTracker(random: Random): TrackerData {
  const titles = new Set<string>();
  const count = 2 * issuesOnPage + 1 + random.integer(6);
  while (titles.size < count) titles.add(drawTitle(random));
  const days = new Set<string>();
  // days differ, so that every question for the first or last has one answer
  while (days.size < count) days.add(dayOf(random, { year: 2026 }));
  const due = [...days];
  return {
    issues: [...titles].map((title, index) => ({
      id: 101 + index,
      title,
      status: random.pick(statuses),
      priority: random.pick(priorities),
      assignee: random.pick(people),
      due: due[index]!,
      notes: random.pick(notes),
    })),
  };
}

const seek = (title: string): PlanStep[] => [{ seek: `link "${title}"`, by: 'link "Next"' }];

const open = (title: string): PlanStep[] => [...seek(title), { click: `link "${title}"` }];

/** Reads a field of one issue, which may be on a later page. */
export function lookup(random: Random): Goal {
  const data = drawTracker(random);
  const issue = random.pick(data.issues);
  const field = random.pick(["assignee", "priority", "due", "status"] as const);
  const other = data.issues.find((other) => other[field] !== issue[field])!;
  return question({
    goal: `What is the ${field === "due" ? "due date" : field} of the issue "${issue.title}"? Answer with the value alone.`,
    site: "tracker",
    data,
    path: "/issues",
    plan: open(issue.title),
    value: issue[field],
    guess: other[field],
    key: `${field} ${issue.title}`,
  });
}

/** Counts the issues of a person in a status, with the filter. */
export function count(random: Random): Goal {
  const data = drawTracker(random);
  const person = random.pick(people);
  const status = random.pick(statuses);
  const found = data.issues.filter((issue) => issue.assignee === person && issue.status === status).length;
  return question({
    goal: `How many issues assigned to ${person} are ${status}? Answer with the number alone.`,
    site: "tracker",
    data,
    path: "/issues",
    plan: [
      { type: 'textbox "Search"', text: person },
      { select: 'combobox "Status"', option: status },
      { click: 'button "Apply"' },
    ],
    value: String(found),
    guess: String(found + 1),
    key: `${person} ${status} ${found}`,
  });
}

/** Finds the issue that comes first or last by its due date. */
export function extreme(random: Random): Goal {
  const data = drawTracker(random);
  const status = random.pick(statuses);
  const among = data.issues.filter((issue) => issue.status === status);
  if (among.length < 2) return extreme(random);
  const direction = random.pick(["earliest", "latest"] as const);
  const sorted = among.toSorted((a, b) => (a.due < b.due ? -1 : 1));
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const sort: PlanStep = { click: `link "${heading("due")}"` };
  return question({
    goal: `Which ${status} issue has the ${direction} due date? Answer with its title alone.`,
    site: "tracker",
    data,
    path: "/issues",
    plan: [
      { select: 'combobox "Status"', option: status },
      { click: 'button "Apply"' },
      sort,
      ...(direction === "latest" ? [sort] : []),
    ],
    value: (direction === "earliest" ? first : last).title,
    guess: (direction === "earliest" ? last : first).title,
    key: `${status} ${direction} ${first.due.slice(5, 7)} ${last.due.slice(5, 7)}`,
  });
}

/** Changes two fields of one issue. */
export function edit(random: Random): Goal {
  const data = drawTracker(random);
  const issue = random.pick(data.issues);
  const assignee = random.pick(people.filter((person) => person !== issue.assignee));
  const priority = random.pick(priorities.filter((priority) => priority !== issue.priority));
  const changed = { ...issue, assignee, priority };
  return change({
    goal: `Assign the issue "${issue.title}" to ${assignee} and set its priority to ${priority}.`,
    site: "tracker",
    data,
    expected: { issues: data.issues.map((other) => (other === issue ? changed : other)) },
    path: "/issues",
    plan: [
      ...open(issue.title),
      { click: 'link "Edit"' },
      { select: 'combobox "Priority"', option: priority },
      { select: 'combobox "Assignee"', option: assignee },
      { click: 'button "Save"' },
    ],
    key: `${assignee} ${priority} ${issue.title}`,
  });
}

/** Deletes one issue, which a dialog asks to confirm. */
export function remove(random: Random): Goal {
  const data = drawTracker(random);
  const issue = random.pick(data.issues);
  return change({
    goal: `Delete the issue "${issue.title}".`,
    site: "tracker",
    data,
    expected: { issues: data.issues.filter((other) => other !== issue) },
    path: "/issues",
    plan: [...open(issue.title), { click: 'link "Delete"' }, { click: 'button "Delete for good"' }],
    key: issue.title,
  });
}

/** Closes several issues at once by their checkboxes, after a search. */
export function bulk(random: Random): Goal {
  const data = drawTracker(random);
  const thing = random.pick(things);
  const chosen = data.issues.filter(
    ({ title, status }) => title.toLowerCase().startsWith(thing) && status !== "closed",
  );
  if (chosen.length < 2 || chosen.length > 4) return bulk(random);
  return change({
    goal: `Close every issue whose title begins with "${chosen[0]!.title.split(" ")[0]}" and that is not closed yet.`,
    site: "tracker",
    data,
    expected: {
      issues: data.issues.map((issue) => (chosen.includes(issue) ? { ...issue, status: "closed" } : issue)),
    },
    path: "/issues",
    plan: [
      { type: 'textbox "Search"', text: thing },
      { press: "Enter" },
      ...chosen.map(({ title }): PlanStep => ({ click: `checkbox "Select ${title}"` })),
      { click: 'button "Close selected"' },
    ],
    key: `${thing} ${chosen.length} ${chosen[0]!.title}`,
  });
}

/** Makes a new issue with every field given. */
export function create(random: Random): Goal {
  const data = drawTracker(random);
  let title = drawTitle(random);
  while (data.issues.some((issue) => issue.title === title)) title = drawTitle(random);
  const issue: Issue = {
    id: 0,
    title,
    status: random.pick(statuses),
    priority: random.pick(priorities),
    assignee: random.pick(people),
    due: dayOf(random, { year: 2027 }),
    notes: random.pick(notes.filter((note) => note !== "")),
  };
  return change({
    goal: `Make a new issue with title "${title}", status ${issue.status}, priority ${issue.priority}, assignee ${issue.assignee}, due ${issue.due} and the notes "${issue.notes}".`,
    site: "tracker",
    data,
    expected: { issues: [...data.issues, issue] },
    path: "/issues",
    plan: [
      { click: 'link "New issue"' },
      { type: 'textbox "Title"', text: title },
      { select: 'combobox "Status"', option: issue.status },
      { select: 'combobox "Priority"', option: issue.priority },
      { select: 'combobox "Assignee"', option: issue.assignee },
      { type: 'date "Due"', text: issue.due },
      { type: 'textbox "Notes"', text: issue.notes },
      { click: 'button "Save"' },
    ],
    key: `${issue.assignee} ${issue.priority} ${title}`,
  });
}
