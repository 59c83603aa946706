/** The categories of version 4, by the group that the leaderboard files them under. */
export const categoryGroups = {
  non_live: [
    "simple_python",
    "simple_java",
    "simple_javascript",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
  ],
  live: [
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "live_irrelevance",
    "live_relevance",
  ],
  multi_turn: ["multi_turn_base", "multi_turn_miss_func", "multi_turn_miss_param", "multi_turn_long_context"],
  memory: ["memory_kv", "memory_vector", "memory_rec_sum"],
  web_search: ["web_search_base", "web_search_no_snippet"],
} as const;

/** Every scored category. */
export const categories: readonly string[] = Object.values(categoryGroups).flat();

/** The one or several categories that share a file of questions: `memory` and `web_search` are asked several ways. */
export function fileOf(category: string): string {
  if (category.startsWith("memory")) return "memory";
  return category.startsWith("web_search") ? "web_search" : category;
}

/** The five conversations that come before the memory questions, in the order in which they are played. */
export const memoryScenarios = ["student", "customer", "finance", "healthcare", "notetaker"] as const;

/** Which file of tool documents belongs to which stateful class. */
export const documentFiles: Readonly<Record<string, string>> = {
  GorillaFileSystem: "gorilla_file_system.json",
  MathAPI: "math_api.json",
  MessageAPI: "message_api.json",
  TwitterAPI: "posting_api.json",
  TicketAPI: "ticket_api.json",
  TradingBot: "trading_bot.json",
  TravelAPI: "travel_booking.json",
  VehicleControlAPI: "vehicle_control.json",
  WebSearchAPI: "web_search.json",
  MemoryAPI_kv: "memory_kv.json",
  MemoryAPI_vector: "memory_vector.json",
  MemoryAPI_rec_sum: "memory_rec_sum.json",
};

/** Whether items of the category are judged by whether anything was called at all; they have no answers. */
export function isRelevance(category: string): boolean {
  return category.includes("relevance");
}

export function isMultiTurn(category: string): boolean {
  return category.startsWith("multi_turn");
}

export function isAgentic(category: string): boolean {
  return category.startsWith("memory") || category.startsWith("web_search");
}
