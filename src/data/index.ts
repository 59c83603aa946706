// Where tasks and conversations come from, and how they are mixed. Everything that is drawn is a function of a seed
// and a position, so that a stopped run finds its place again. Read tasks.ts first.
export { readConversations } from "./conversations.ts";
export { carries } from "./format/carries.ts";
export { formatNamed, formats } from "./format/formats.ts";
export { toPreference } from "./format/preference.ts";
export { writeParts } from "./format/write-parts.ts";
export { mixture, type Source } from "./mixture.ts";
export { type TaskQuery, takeTasks } from "./tasks.ts";
