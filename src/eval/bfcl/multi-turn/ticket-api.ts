import { join } from "../python/lines.ts";
import { assign, dictFor, get, increased, listFor, lower } from "../python/methods.ts";
import { compare, compareTexts, isTrue, iterate, subscript } from "../python/operators.ts";
import { str } from "../python/text.ts";
import { isEqual, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import type { Method, Simulator, SimulatorClass } from "./simulator.ts";

/** A company's support tickets and who is logged in. */
export const ticketApi: SimulatorClass = {
  name: "TicketAPI",
  create(config) {
    const state = toDict({
      ticket_queue: get(config, "ticket_queue", []),
      ticket_counter: get(config, "ticket_counter", 1n),
      current_user: get(config, "current_user", null),
    });
    return { methods: bindMethods(state), state: () => state } satisfies Simulator;
  },
};

const editable = new Set<PythonValue>(["title", "description", "status", "priority"]);
const ticketId = { name: "ticket_id" };

function bindMethods(state: PythonDict): Record<string, Method> {
  const user = () => state.get("current_user") as PythonValue;
  const queue = () => state.get("ticket_queue") as PythonValue;
  const find = (id: PythonValue): PythonValue =>
    iterate(queue()).find((ticket) => isEqual(subscript(ticket, "id"), id)) ?? null;

  /** Does something to a ticket that is there. */
  const onTicket = (id: PythonValue, act: (ticket: PythonValue) => PythonValue): PythonValue => {
    const ticket = find(id);
    return isTrue(ticket) ? act(ticket) : toDict({ error: `Ticket with ID ${str(id)} not found.` });
  };

  return {
    create_ticket: {
      parameters: [
        { name: "title" },
        { name: "description", default: "" },
        { name: "priority", default: 1n },
      ],
      call(title = null, description = null, priority = null) {
        if (!isTrue(user()))
          return toDict({ error: "User not authenticated. Please log in to create a ticket." });
        if (compare(priority, "<", 1n) || compare(priority, ">", 5n))
          return toDict({ error: "Invalid priority. Priority must be between 1 and 5." });
        const id = state.get("ticket_counter") as PythonValue;
        const ticket = toDict({ id, title, description, status: "Open", priority, created_by: user() });
        listFor(queue(), "append").push(ticket);
        state.set("ticket_counter", increased(id));
        return ticket;
      },
    },
    get_ticket: { parameters: [ticketId], call: (id = null) => onTicket(id, (ticket) => ticket) },
    close_ticket: {
      parameters: [ticketId],
      call: (id = null) =>
        onTicket(id, (ticket) => {
          if (isEqual(subscript(ticket, "status"), "Closed"))
            return toDict({ error: `Ticket with ID ${str(id)} is already closed.` });
          assign(ticket, "status", "Closed");
          return toDict({ status: `Ticket ${str(id)} has been closed successfully.` });
        }),
    },
    resolve_ticket: {
      parameters: [ticketId, { name: "resolution" }],
      call: (id = null, resolution = null) =>
        onTicket(id, (ticket) => {
          if (isEqual(subscript(ticket, "status"), "Resolved"))
            return toDict({ error: `Ticket with ID ${str(id)} is already resolved.` });
          assign(ticket, "status", "Resolved");
          assign(ticket, "resolution", resolution);
          return toDict({ status: `Ticket ${str(id)} has been resolved successfully.` });
        }),
    },
    edit_ticket: {
      parameters: [ticketId, { name: "updates" }],
      call: (id = null, updates = null) =>
        onTicket(id, (ticket) => {
          const changes = dictFor(updates, "keys");
          const unknown = [...changes.keys()].filter((field) => !editable.has(field));
          // The original prints a set, whose order is another in every run, but does not follow that of the fields.
          if (unknown.every((field) => typeof field === "string")) unknown.sort(compareTexts);
          if (unknown.length > 0)
            return toDict({ error: `Invalid fields for update: ${join(", ", unknown)}` });
          for (const [field, value] of changes) if (value !== null) assign(ticket, field, value);
          return toDict({ status: `Ticket ${str(id)} has been updated successfully.` });
        }),
    },
    ticket_login: {
      parameters: [{ name: "username" }, { name: "password" }],
      call(username = null, password = null) {
        const success = isTrue(username) && isTrue(password);
        if (success) state.set("current_user", username);
        return toDict({ success });
      },
    },
    ticket_get_login_status: { parameters: [], call: () => toDict({ login_status: isTrue(user()) }) },
    logout: {
      parameters: [],
      call() {
        const success = isTrue(user());
        if (success) state.set("current_user", null);
        return toDict({ success });
      },
    },
    get_user_tickets: {
      parameters: [{ name: "status", default: null }],
      call(status = null) {
        if (!isTrue(user()))
          return [toDict({ error: "User not authenticated. Please log in to view tickets." })];
        const own = iterate(queue()).filter((ticket) => isEqual(subscript(ticket, "created_by"), user()));
        if (!isTrue(status)) return own;
        return own.filter((ticket) => isEqual(lower(subscript(ticket, "status")), lower(status)));
      },
    },
  };
}
