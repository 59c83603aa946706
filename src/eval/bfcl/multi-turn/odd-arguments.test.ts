import { describe, expect, it } from "vitest";
import { readJson } from "../python/json.ts";
import type { PythonDict } from "../python/value.ts";
import { startExecution } from "./execute.ts";

type Vector = { config: string; pairs: [call: string, result: string][] };

/** Arguments of other classes than documented, and what the original answers to them. */
const vectors: Record<string, Vector> = {
  TicketAPI: {
    config: '{"current_user": "ann"}',
    pairs: [
      [
        "create_ticket(1, {'a': (2,)}, 5.0)",
        '{"id": 1, "title": 1, "description": {"a": [2]}, "status": "Open", "priority": 5.0, "created_by": "ann"}',
      ],
      ["edit_ticket(1, {'title': get_ticket(1)})", '{"status": "Ticket 1 has been updated successfully."}'],
      [
        "get_ticket(True)",
        "{'id': 1, 'title': {...}, 'description': {'a': (2,)}, 'status': 'Open', 'priority': 5.0, 'created_by': 'ann'}",
      ],
      ["edit_ticket(1, {3: 4})", "Error during execution: sequence item 0: expected str instance, int found"],
      ["edit_ticket(1, 'title')", "Error during execution: 'str' object has no attribute 'keys'"],
      ["get_user_tickets(['open'])", "Error during execution: 'list' object has no attribute 'lower'"],
      ["close_ticket([1])", '{"error": "Ticket with ID [1] not found."}'],
    ],
  },
  MessageAPI: {
    config: '{"current_user": "USR001", "user_count": 11, "inbox": [{"USR002": "Hi"}], "random_seed": 7}',
    pairs: [
      [
        "send_message('USR003', ['a'])",
        '{"sent_status": true, "message_id": {"new_id": 52445}, "message": "Message sent to \'USR003\' successfully."}',
      ],
      ["search_messages('h')", "Error during execution: 'list' object has no attribute 'lower'"],
      [
        "add_contact('Zoe')",
        '{"added_status": true, "user_id": "USR012", "message": "Contact \'Zoe\' added successfully."}',
      ],
      ["add_contact(['Zoe'])", "Error during execution: unhashable type: 'list'"],
      ["message_login(None)", '{"login_status": false, "message": "User ID \'None\' not found."}'],
      [
        "delete_message('USR003')",
        '{"deleted_status": true, "receiver_id": "USR003", "message": "Receiver USR003\'s latest message deleted successfully."}',
      ],
      [
        "send_message('USR004', 'x')",
        '{"sent_status": true, "message_id": {"new_id": 29772}, "message": "Message sent to \'USR004\' successfully."}',
      ],
    ],
  },
  TwitterAPI: {
    config:
      '{"authenticated": true, "tweets": {"3": {"id": 3, "username": "ann", "content": "Tea", "tags": ["#T"], "mentions": []}}, "tweet_counter": 4}',
    pairs: [
      ["get_tweet(3.0)", '{"id": 3, "username": "ann", "content": "Tea", "tags": ["#T"], "mentions": []}'],
      ["get_tweet('3')", '{"error": "Tweet with ID 3 not found."}'],
      ["get_tweet([3])", "Error during execution: unhashable type: 'list'"],
      ["post_tweet('a')", '{"id": 4, "username": "john", "content": "a", "tags": [], "mentions": []}'],
      ["mention(4, '@b')", '{"mention_status": "Users mentioned successfully"}'],
      [
        "post_tweet('c')",
        '{"id": 5, "username": "john", "content": "c", "tags": [], "mentions": ["@", "b"]}',
      ],
      ["search_tweets(0)", "Error during execution: 'int' object has no attribute 'lower'"],
      [
        "search_tweets('#t')",
        "[{'id': 3, 'username': 'ann', 'content': 'Tea', 'tags': ['#T'], 'mentions': []}]",
      ],
      ["comment(True, 'x')", '{"error": "Tweet with ID True not found."}'],
      ["get_user_stats(username=['ann'])", "Error during execution: unhashable type: 'list'"],
    ],
  },
  TradingBot: {
    config:
      '{"authenticated": true, "market_status": "Open", "orders": {"17": {"id": 17, "order_type": "Buy", "symbol": "AAPL", "price": 1.5, "amount": 2, "status": "Open"}}, "account_info": {"account_id": 1, "balance": 100, "binding_card": 2}, "random_seed": 7}',
    pairs: [
      ["get_order_history()", '{"history": [17]}'],
      [
        "place_order('BUY', 'AAPL', 0.1, '3')",
        "Error during execution: '<=' not supported between instances of 'str' and 'int'",
      ],
      ["place_order('BUY', 'AAPL', 10**400, 3)", "Error during execution: int too large to convert to float"],
      [
        "place_order('Sell', 'AAPL', True, 2.5)",
        '{"order_id": 12446, "order_type": "Sell", "status": "Pending", "price": 1.0, "amount": 2.5}',
      ],
      ["fund_account(0.1)", '{"status": "Account funded successfully", "new_balance": 100.1}'],
      ["fund_account(0.2)", '{"status": "Account funded successfully", "new_balance": 100.3}'],
      ["withdraw_funds(1e999)", '{"error": "Insufficient funds for withdrawal."}'],
      ["withdraw_funds(99)", '{"status": "Withdrawal successful", "new_balance": 1.2999999999999972}'],
      [
        "get_transaction_history('2024-09-02')",
        '{"transaction_history": [{"type": "withdrawal", "amount": 99, "timestamp": "2024-09-02 00:52:30"}]}',
      ],
      [
        "get_transaction_history('٢٠٢٤-٠٩-01 ')",
        "Error during execution: time data '٢٠٢٤-٠٩-01 ' does not match format '%Y-%m-%d'",
      ],
      [
        "get_transaction_history('2024-9- 1', '2024-13-01')",
        "Error during execution: time data '2024-13-01' does not match format '%Y-%m-%d'",
      ],
      [
        "filter_stocks_by_price('AB', 0, '9')",
        "Error during execution: '<=' not supported between instances of 'int' and 'str'",
      ],
      [
        "notify_price_change(['NVDA', 3], 0.34)",
        '{"notification": "Stocks NVDA have significant price changes."}',
      ],
      ["cancel_order(order_id='17')", '{"error": "Order with ID 17 not found."}'],
    ],
  },
};

describe("a simulated service that is given what it does not expect", () => {
  it.each(Object.entries(vectors))("answers as the original does: %s", (name, { config, pairs }) => {
    const { run } = start(name, config);
    expect(run(pairs.map(([call]) => call))).toEqual(pairs.map(([, result]) => result));
  });

  it("names several unknown fields of a ticket in an order that does not depend on the caller", () => {
    const { run } = start("TicketAPI", '{"ticket_queue": [{"id": 1}]}');
    const error = '{"error": "Invalid fields for update: due, owner"}';
    const calls = ["edit_ticket(1, {'owner': 1, 'due': 2})", "edit_ticket(1, {'due': 2, 'owner': 1})"];
    expect(run(calls)).toEqual([error, error]);
  });

  it("keeps a None of the configuration, where a missing field has a default", () => {
    const { objects } = start("TicketAPI", '{"ticket_queue": null}');
    const state = objects.get("TicketAPI")?.state();
    expect(state?.get("ticket_queue")).toBeNull();
    expect(state?.get("ticket_counter")).toBe(1n);
  });
});

function start(name: string, config: string) {
  const initialConfig = readJson(`{"${name}": ${config}}`) as PythonDict;
  return startExecution({ id: "v", involvedClasses: [name], initialConfig, longContext: false, owner: "m" });
}
