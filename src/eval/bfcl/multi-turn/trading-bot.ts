import { parseDate } from "../python/date.ts";
import { join, missingMethod } from "../python/lines.ts";
import {
  absolute,
  assign,
  dictFor,
  extend,
  get,
  increased,
  listFor,
  lower,
  removeFrom,
  toFloat,
  toInteger,
  twoDecimals,
} from "../python/methods.ts";
import { compare, contains, isTrue, iterate, operate, subscript } from "../python/operators.ts";
import { repr, str } from "../python/text.ts";
import { isEqual, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { longContext } from "./long-context.ts";
import { createPythonRandom, type PythonRandom } from "./random.ts";
import type { Method, SimulatorClass } from "./simulator.ts";
import { companies, defaultOrders, defaultStocks } from "./trading-data.ts";

/** A brokerage account: orders, funds, a watch list and the market it looks at. */
export const tradingBot: SimulatorClass = {
  name: "TradingBot",
  create(config, { longContext: isLong }) {
    const state: PythonDict = new Map();
    for (const [name, value] of Object.entries(defaults())) state.set(name, get(config, name, value));
    const orders: PythonDict = new Map();
    for (const [id, order] of dictFor(state.get("orders")!, "items"))
      assign(orders, typeof id === "string" && /^\d+$/.test(id) ? toInteger(id) : id, order);
    state.set("orders", orders);
    state.set("long_context", isLong);
    const random = createPythonRandom(get(config, "random_seed", 1_053_520n));
    return {
      methods: { ...market(state), ...ordering(state), ...funds(state, random), ...watching(state) },
      state: () => state,
    };
  },
};

const defaults = (): Record<string, PythonValue> => ({
  orders: defaultOrders(),
  account_info: toDict({ account_id: 12_345n, balance: 10_000, binding_card: 1_974_202_140_965_533n }),
  authenticated: false,
  market_status: "Closed",
  order_counter: 12_446n,
  stocks: defaultStocks(),
  watch_list: ["NVDA"],
  transaction_history: [],
});

/** 2024-09-01 10:30:00, at which the market's clock stands. */
const nowSeconds = Date.UTC(2024, 8, 1, 10, 30) / 1000;

const symbolParameter = { name: "symbol" };
const orderId = { name: "order_id" };
const error = (text: string) => toDict({ error: text });

function readerOf(state: PythonDict) {
  return {
    of: (name: string) => state.get(name) as PythonValue,
    isLong: () => isTrue(state.get("long_context")!),
    authenticated: (purpose: string, act: () => PythonValue): PythonValue =>
      isTrue(state.get("authenticated")!)
        ? act()
        : error(`User not authenticated. Please log in to ${purpose}.`),
  };
}

function market(state: PythonDict): Record<string, Method> {
  const { of, isLong } = readerOf(state);
  return {
    get_current_time: { parameters: [], call: () => toDict({ current_time: "10:30 AM" }) },
    get_symbol_by_name: {
      parameters: [{ name: "name" }],
      call: (name = null) => toDict({ symbol: get(companies, name, "Stock not found") }),
    },
    get_stock_info: {
      parameters: [symbolParameter],
      call(symbol = null) {
        if (!contains(of("stocks"), symbol)) return error(`Stock with symbol '${str(symbol)}' not found.`);
        const stock = subscript(of("stocks"), symbol);
        if (!isLong()) return stock;
        return new Map(dictFor(stock, "copy"))
          .set("MA(5)", longContext("MA_5_EXTENSION"))
          .set("MA(20)", longContext("MA_20_EXTENSION"));
      },
    },
    get_available_stocks: {
      parameters: [{ name: "sector" }],
      call(sector = null) {
        const sectors = toDict({
          Technology: ["AAPL", "GOOG", "MSFT", "NVDA"],
          Automobile: ["TSLA", "F", "GM"],
        });
        if (isLong()) {
          extend(sectors.get("Technology")!, longContext("TECHNOLOGY_EXTENSION"));
          extend(sectors.get("Automobile")!, longContext("AUTOMOBILE_EXTENSION"));
        }
        return toDict({ stock_list: get(sectors, sector, []) });
      },
    },
    filter_stocks_by_price: {
      parameters: [{ name: "stocks" }, { name: "min_price" }, { name: "max_price" }],
      call(stocks = null, least = null, most = null) {
        const filtered = iterate(stocks).filter((symbol) => {
          const price = get(get(of("stocks"), symbol, new Map()), "price", 0n);
          return compare(price, ">=", least) && compare(price, "<=", most);
        });
        return toDict({ filtered_stocks: filtered });
      },
    },
    notify_price_change: {
      parameters: [{ name: "stocks" }, { name: "threshold" }],
      call(stocks = null, threshold = null) {
        const changed = iterate(stocks).filter((symbol) => {
          if (!contains(of("stocks"), symbol)) return false;
          const change = subscript(subscript(of("stocks"), symbol), "percent_change");
          return compare(absolute(change), ">=", threshold);
        });
        return toDict({
          notification:
            changed.length > 0
              ? `Stocks ${join(", ", changed)} have significant price changes.`
              : "No significant price changes in the selected stocks.",
        });
      },
    },
  };
}

function ordering(state: PythonDict): Record<string, Method> {
  const { of, isLong, authenticated } = readerOf(state);
  return {
    get_order_details: {
      parameters: [orderId],
      call(id = null) {
        if (!contains(of("orders"), id)) {
          const known = repr([...dictFor(of("orders"), "keys").keys()]);
          return error(`Order with ID ${str(id)} not found.Here is the list of orders_id: ${known}`);
        }
        const order = subscript(of("orders"), id);
        if (!isLong()) return order;
        const detailed = new Map(dictFor(order, "copy"));
        const symbol = str(subscript(detailed, "symbol"));
        const metadata: PythonDict = new Map();
        for (const [key, text] of dictFor(longContext("ORDER_DETAIL_EXTENSION"), "items"))
          metadata.set(
            key,
            (text as string).replaceAll("{symbol}", () => symbol),
          );
        return detailed.set("metadata", metadata);
      },
    },
    cancel_order: {
      parameters: [orderId],
      call(id = null) {
        if (!contains(of("orders"), id)) return error(`Order with ID ${str(id)} not found.`);
        const order = subscript(of("orders"), id);
        if (isEqual(subscript(order, "status"), "Completed"))
          return error(`Can't cancel order ${str(id)}. Order is already completed.`);
        assign(order, "status", "Cancelled");
        return toDict({ order_id: id, status: "Cancelled" });
      },
    },
    place_order: {
      parameters: [{ name: "order_type" }, symbolParameter, { name: "price" }, { name: "amount" }],
      call: (type = null, symbol = null, given = null, amount = null) =>
        authenticated("place an order", () => {
          if (!contains(of("stocks"), symbol)) return error(`Invalid stock symbol: ${str(symbol)}`);
          if (compare(given, "<=", 0n) || compare(amount, "<=", 0n))
            return error("Price and amount must be positive values.");
          if (isEqual(lower(type), "buy")) {
            const cost = operate(toFloat(given), "*", toInteger(amount));
            const balance = get(of("account_info"), "balance", 0n);
            if (compare(cost, ">", balance))
              return error(
                `Insufficient funds: required $${twoDecimals(cost)} but only $${twoDecimals(balance)} available.`,
              );
          }
          const price = toFloat(given);
          const id = of("order_counter");
          const order = toDict({ id, order_type: type, symbol, price, amount, status: "Open" });
          assign(of("orders"), id, order);
          state.set("order_counter", increased(id));
          return toDict({ order_id: id, order_type: type, status: "Pending", price, amount });
        }),
    },
    get_order_history: {
      parameters: [],
      call() {
        const history = authenticated("view order history", () =>
          toDict({ history: [...dictFor(of("orders"), "keys").keys()] }),
        );
        return isTrue(of("authenticated")) ? history : [history];
      },
    },
  };
}

function funds(state: PythonDict, random: PythonRandom): Record<string, Method> {
  const { of, isLong, authenticated } = readerOf(state);
  const move = (type: string, operator: "+" | "-", amount: PythonValue): PythonValue => {
    const info = of("account_info");
    assign(info, "balance", operate(subscript(info, "balance"), operator, amount));
    const seconds = random.randint(BigInt(nowSeconds), BigInt(nowSeconds + 86_400));
    const timestamp = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ");
    listFor(of("transaction_history"), "append").push(toDict({ type, amount, timestamp }));
    return subscript(info, "balance");
  };

  return {
    get_account_info: {
      parameters: [],
      call: () => authenticated("view account information", () => of("account_info")),
    },
    trading_login: {
      parameters: [{ name: "username" }, { name: "password" }],
      call() {
        if (isTrue(of("authenticated"))) return toDict({ status: "Already logged in" });
        state.set("authenticated", true);
        return toDict({ status: "Logged in successfully" });
      },
    },
    trading_get_login_status: {
      parameters: [],
      call: () => toDict({ status: isTrue(of("authenticated")) }),
    },
    trading_logout: {
      parameters: [],
      call() {
        if (!isTrue(of("authenticated"))) return toDict({ status: "No user is currently logged in" });
        state.set("authenticated", false);
        return toDict({ status: "Logged out successfully" });
      },
    },
    fund_account: {
      parameters: [{ name: "amount" }],
      call: (amount = null) =>
        authenticated("fund the account", () => {
          if (compare(amount, "<=", 0n)) return error("Funding amount must be positive.");
          const balance = move("deposit", "+", amount);
          return toDict({ status: "Account funded successfully", new_balance: balance });
        }),
    },
    withdraw_funds: {
      parameters: [{ name: "amount" }],
      call: (amount = null) =>
        authenticated("make a transaction", () => {
          if (!isEqual(of("market_status"), "Open"))
            return error("Market is closed. Transactions are not allowed.");
          if (compare(amount, "<=", 0n)) return error("Transaction amount must be positive.");
          if (compare(amount, ">", subscript(of("account_info"), "balance")))
            return error("Insufficient funds for withdrawal.");
          const balance = move("withdrawal", "-", amount);
          return toDict({ status: "Withdrawal successful", new_balance: balance });
        }),
    },
    get_transaction_history: {
      parameters: [
        { name: "start_date", default: null },
        { name: "end_date", default: null },
      ],
      call(start = null, end = null) {
        if (!isTrue(of("authenticated")))
          return [error("User not authenticated. Please log in to view transaction history.")];
        const first = isTrue(start) ? parseDate(start, "%Y-%m-%d") : Number.NEGATIVE_INFINITY;
        const last = isTrue(end) ? parseDate(end, "%Y-%m-%d") : Number.POSITIVE_INFINITY;
        const history = iterate(of("transaction_history")).filter((transaction) => {
          const seconds = parseDate(subscript(transaction, "timestamp"), "%Y-%m-%d %H:%M:%S");
          return first <= seconds && seconds <= last;
        });
        if (isLong()) extend(history, longContext("TRANSACTION_HISTORY_EXTENSION"));
        return toDict({ transaction_history: history });
      },
    },
  };
}

function watching(state: PythonDict): Record<string, Method> {
  const { of, isLong, authenticated } = readerOf(state);
  return {
    remove_stock_from_watchlist: {
      parameters: [symbolParameter],
      call: (symbol = null) =>
        authenticated("modify the watchlist", () => {
          if (!contains(of("watch_list"), symbol))
            return error(`Stock ${str(symbol)} not found in watchlist.`);
          removeFrom(of("watch_list"), symbol);
          return toDict({ status: `Stock ${str(symbol)} removed from watchlist successfully.` });
        }),
    },
    get_watchlist: {
      parameters: [],
      call() {
        if (!isTrue(of("authenticated")))
          return ["Error: User not authenticated. Please log in to view the watchlist."];
        const watched = of("watch_list");
        if (!isLong()) return toDict({ watchlist: watched });
        if (!Array.isArray(watched)) throw missingMethod(watched, "copy");
        return [...watched, ...iterate(longContext("WATCH_LIST_EXTENSION"))];
      },
    },
    add_to_watchlist: {
      parameters: [{ name: "stock" }],
      call(stock = null) {
        const watched = of("watch_list");
        if (!contains(watched, stock) && contains(of("stocks"), stock))
          listFor(watched, "append").push(stock);
        return toDict({ watchlist: watched });
      },
    },
  };
}
