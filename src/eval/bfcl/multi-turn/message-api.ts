import { assign, dictFor, get, increased, listFor, lower, removeFrom } from "../python/methods.ts";
import { assertHashable, contains, isTrue, iterate, subscript } from "../python/operators.ts";
import { str } from "../python/text.ts";
import {
  dictGet,
  isEqual,
  isIn,
  type PythonDict,
  PythonTuple,
  type PythonValue,
  toDict,
} from "../python/value.ts";
import { createPythonRandom } from "./random.ts";
import type { Method, SimulatorClass } from "./simulator.ts";

/** Messages between the members of a workspace. */
export const messageApi: SimulatorClass = {
  name: "MessageAPI",
  create(config) {
    const random = createPythonRandom(get(config, "random_seed", 200_191n));
    const state: PythonDict = new Map();
    for (const [name, value] of Object.entries(defaults())) state.set(name, get(config, name, value));
    // a set of the original's, kept as a dict of its members: only that can be added to
    const ids = config.has("generated_ids") ? undefined : (state.get("generated_ids") as PythonDict);
    const drawId = (): PythonValue => {
      const generated = state.get("generated_ids") as PythonValue;
      let id = random.randint(10_000n, 99_999n);
      while (contains(generated, id)) id = random.randint(10_000n, 99_999n);
      (ids ?? dictFor(generated, "add")).set(id, null);
      return toDict({ new_id: id });
    };
    return { methods: bindMethods(state, drawId), state: () => state };
  },
};

const defaults = (): Record<string, PythonValue> => ({
  generated_ids: new Map(),
  user_count: 4n,
  user_map: toDict({ Alice: "USR001", Bob: "USR002", Catherine: "USR003", Daniel: "USR004" }),
  inbox: [
    toDict({ USR002: "My name is Alice. I want to connect." }),
    toDict({ USR003: "Could you upload the file?" }),
    toDict({ USR004: "Could you upload the file?" }),
  ],
  message_count: 3n,
  current_user: null,
});

const notLoggedIn = () => toDict({ error: "No user is currently logged in." });
const receiverId = { name: "receiver_id" };

function bindMethods(state: PythonDict, drawId: () => PythonValue): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;
  const users = (method: string) => dictFor(of("user_map"), method);
  const loggedIn = (act: () => PythonValue) => (isTrue(of("current_user")) ? act() : notLoggedIn());

  return {
    list_users: { parameters: [], call: () => toDict({ user_list: [...users("keys").keys()] }) },
    get_user_id: {
      parameters: [{ name: "user" }],
      call: (user = null) =>
        contains(of("user_map"), user)
          ? toDict({ user_id: dictGet(users("get"), user) ?? null })
          : toDict({ error: `User '${str(user)}' not found in the workspace.` }),
    },
    message_login: {
      parameters: [{ name: "user_id" }],
      call(id = null) {
        if (!isIn(id, [...users("values").values()]))
          return toDict({ login_status: false, message: `User ID '${str(id)}' not found.` });
        state.set("current_user", id);
        return toDict({ login_status: true, message: `User '${str(id)}' logged in successfully.` });
      },
    },
    message_get_login_status: {
      parameters: [],
      call: () => toDict({ login_status: isTrue(of("current_user")) }),
    },
    send_message: {
      parameters: [receiverId, { name: "message" }],
      call: (receiver = null, message = null) =>
        loggedIn(() => {
          if (!isIn(receiver, [...users("values").values()]))
            return toDict({ error: `Receiver ID '${str(receiver)}' not found.` });
          const id = drawId();
          const sent: PythonDict = new Map();
          assign(sent, receiver, message);
          listFor(of("inbox"), "append").push(sent);
          state.set("message_count", increased(of("message_count")));
          return toDict({
            sent_status: true,
            message_id: id,
            message: `Message sent to '${str(receiver)}' successfully.`,
          });
        }),
    },
    delete_message: {
      parameters: [receiverId],
      call: (id = null) =>
        loggedIn(() => {
          for (const message of [...iterate(of("inbox"))].reverse()) {
            const [receiver] = firstItem(message);
            if (!isEqual(receiver, id)) continue;
            removeFrom(of("inbox"), message);
            return toDict({
              deleted_status: true,
              receiver_id: receiver,
              message: `Receiver ${str(id)}'s latest message deleted successfully.`,
            });
          }
          return toDict({ error: `Receiver ID ${str(id)} not found.` });
        }),
    },
    view_messages_sent: {
      parameters: [],
      call: () =>
        loggedIn(() => {
          const messages: PythonDict = new Map();
          for (const message of iterate(of("inbox"))) {
            const [receiver, content] = firstItem(message);
            const known = dictGet(messages, receiver);
            if (known === undefined) assign(messages, receiver, [content]);
            else (known as PythonValue[]).push(content);
          }
          return toDict({ messages });
        }),
    },
    add_contact: {
      parameters: [{ name: "user_name" }],
      call(name = null) {
        if (contains(of("user_map"), name))
          return toDict({ error: `User name '${str(name)}' already exists.` });
        state.set("user_count", increased(of("user_count")));
        const id = `USR${zeroFilled(str(of("user_count")), 3)}`;
        if (isIn(id, [...users("values").values()]))
          return toDict({ error: `User ID '${id}' already exists.` });
        assign(of("user_map"), name, id);
        return toDict({
          added_status: true,
          user_id: id,
          message: `Contact '${str(name)}' added successfully.`,
        });
      },
    },
    search_messages: {
      parameters: [{ name: "keyword" }],
      call: (keyword = null) =>
        loggedIn(() => {
          const wanted = lower(keyword);
          const results = iterate(of("inbox")).flatMap((sent) => {
            const [receiver, message] = firstItem(sent);
            return contains(lower(message), wanted) ? [toDict({ receiver_id: receiver, message })] : [];
          });
          return toDict({ results });
        }),
    },
    get_message_stats: {
      parameters: [],
      call: () =>
        loggedIn(() => {
          const receivers: PythonDict = new Map();
          const messages = iterate(of("inbox"));
          for (const message of messages) assign(receivers, firstItem(message)[0], null);
          const stats = toDict({
            received_count: BigInt(messages.length),
            total_contacts: BigInt(receivers.size),
          });
          return toDict({ stats });
        }),
    },
  };
}

/** `list(message.items())[0]`. */
function firstItem(message: PythonValue): readonly [PythonValue, PythonValue] {
  const items = [...dictFor(message, "items")].map(([key, value]) => new PythonTuple([key, value]));
  const first = subscript(items, 0n) as PythonTuple;
  assertHashable(first.items[0]!);
  return [first.items[0]!, first.items[1]!];
}

/** `text.zfill(width)`: a sign stays in front. */
function zeroFilled(text: string, width: number): string {
  const [sign, digits] = /^[+-]/.test(text) ? [text[0]!, text.slice(1)] : ["", text];
  return sign + digits.padStart(width - sign.length, "0");
}
