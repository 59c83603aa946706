// Where tasks and conversations come from.
export { readConversations } from "./conversations.ts";
export { takeTasks } from "./tasks.ts";
