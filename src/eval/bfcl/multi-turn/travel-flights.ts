import { parseDate } from "../python/date.ts";
import { PythonError } from "../python/error.ts";
import { missingMethod } from "../python/lines.ts";
import { assign, dictFor, remove } from "../python/methods.ts";
import {
  assertHashable,
  compare,
  contains,
  isTrue,
  iterate,
  operate,
  subscript,
} from "../python/operators.ts";
import { str } from "../python/text.ts";
import { dictHas, isEqual, isIn, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import type { PythonRandom } from "./random.ts";
import type { Method } from "./simulator.ts";
import { airportOfCity, airports, routes } from "./travel-routes.ts";
import { accessToken, draw, isValueError, refusal } from "./travel-token.ts";

const classFactors: Readonly<Record<string, number>> = { economy: 1, business: 2, first: 5 };

/** Finding, booking and insuring flights. */
export function flights(state: PythonDict, random: PythonRandom): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;
  const isLong = () => isTrue(of("long_context"));
  const charge = (card: PythonValue, operator: "+" | "-", amount: PythonValue) => {
    const account = subscript(of("credit_card_list"), card);
    assign(account, "balance", operate(subscript(account, "balance"), operator, amount));
  };

  return {
    get_flight_cost: {
      parameters: [
        { name: "travel_from" },
        { name: "travel_to" },
        { name: "travel_date" },
        { name: "travel_class" },
      ],
      call(from = null, to = null, date = null, travelClass = null) {
        const { cost, factor } = flightCost(from, to, date, travelClass);
        const costs = isLong() ? routes.map(([, , each]) => each * factor) : [cost];
        return toDict({ travel_cost_list: costs });
      },
    },
    book_flight: {
      parameters: [
        accessToken,
        { name: "card_id" },
        { name: "travel_date" },
        { name: "travel_from" },
        { name: "travel_to" },
        { name: "travel_class" },
      ],
      call(token = null, card = null, date = null, from = null, to = null, travelClass = null) {
        const refuse = (error: string) => toDict({ booking_status: false, error });
        const refused = refusal(state, token);
        if (refused) return refuse(refused);
        const cards = of("credit_card_list");
        if (!contains(cards, card)) return refuse("Card not registered");
        const account = subscript(cards, card);
        if (!contains(account, "balance")) return refuse("Balance not found");
        if (!isIn(from, airports)) return refuse(`Invalid departure airport code: ${str(from)}`);
        if (!isIn(to, airports)) return refuse(`Invalid destination airport code: ${str(to)}`);
        if (isValueError(() => parseDate(date, "%Y-%m-%d")))
          return refuse("Invalid date format. Use YYYY-MM-DD.");
        assertHashable(travelClass);
        // the original prints a set here, whose order changes from process to process
        if (!isIn(travelClass, Object.keys(classFactors)))
          return refuse("Invalid travel class. Must be one of {'economy', 'business', 'first'}");
        let cost: number;
        try {
          cost = flightCost(from, to, date, travelClass).cost;
        } catch (error) {
          if (error instanceof PythonError && error.type === "ValueError") return refuse(error.message);
          throw error;
        }
        const balance = subscript(account, "balance");
        if (compare(balance, "<", cost)) return refuse("Insufficient funds");
        const limit = of("budget_limit");
        if (limit !== null && compare(balance, "<", limit))
          return refuse("Balance is less than budget limit");
        charge(card, "-", cost);
        const id = draw(random, 1_000_000n, 9_999_999n);
        const transaction = draw(random, 10_000_000n, 99_999_999n);
        const booking = toDict({
          card_id: card,
          travel_date: date,
          travel_from: from,
          travel_to: to,
          travel_class: travelClass,
          travel_cost: cost,
          transaction_id: transaction,
        });
        assign(of("booking_record"), id, booking);
        return toDict({
          booking_id: id,
          transaction_id: transaction,
          booking_status: true,
          booking_history: isLong() ? of("booking_record") : new Map(),
        });
      },
    },
    cancel_booking: {
      parameters: [accessToken, { name: "booking_id" }],
      call(token = null, id = null) {
        const refuse = (error: string) => toDict({ cancel_status: false, error });
        const refused = refusal(state, token);
        if (refused) return refuse(refused);
        const bookings = dictFor(of("booking_record"), "__delitem__");
        assertHashable(id);
        if (!dictHas(bookings, id)) return refuse("Booking not found");
        const booking = subscript(bookings, id);
        const card = subscript(booking, "card_id");
        charge(card, "+", subscript(booking, "travel_cost"));
        remove(bookings, id);
        return toDict({ cancel_status: true });
      },
    },
    purchase_insurance: {
      parameters: [
        accessToken,
        { name: "insurance_type" },
        { name: "booking_id" },
        { name: "insurance_cost" },
        { name: "card_id" },
      ],
      call(token = null, _type = null, id = null, cost = null, card = null) {
        const refuse = (error: string) => toDict({ insurance_status: false, error });
        const refused = refusal(state, token);
        if (refused) return refuse(refused);
        const limit = of("budget_limit");
        if (limit !== null && compare(limit, "<", cost)) return refuse("Exceeded budget limit");
        if (!contains(of("booking_record"), id)) return refuse("Booking not found");
        if (!contains(of("credit_card_list"), card)) return refuse("Credit card not registered");
        charge(card, "-", cost);
        return toDict({
          insurance_id: draw(random, 100_000_000n, 999_999_999n),
          insurance_status: true,
        });
      },
    },
    list_all_airports: { parameters: [], call: () => [...airports] },
    get_nearest_airport_by_city: {
      parameters: [{ name: "location" }],
      call(location = null) {
        assertHashable(location);
        const known =
          typeof location === "string" && Object.hasOwn(airportOfCity, location)
            ? airportOfCity[location]
            : undefined;
        return toDict({ nearest_airport: known ?? "Unknown" });
      },
    },
  };
}

/** What the flight costs, and what class and date make of any flight's base cost. */
function flightCost(
  from: PythonValue,
  to: PythonValue,
  date: PythonValue,
  travelClass: PythonValue,
): { cost: number; factor: number } {
  assertHashable(from);
  assertHashable(to);
  const route = routes.find(([start, end]) => isEqual(from, start) && isEqual(to, end));
  if (!route) throw new PythonError("ValueError", "No available route for the given airports.");
  const isClass = typeof travelClass === "string" && Object.hasOwn(classFactors, travelClass);
  if (!isClass)
    throw new PythonError("ValueError", "Invalid travel class. Options are: economy, business, first.");
  let digits = 0;
  for (const character of iterate(date)) {
    if (typeof character !== "string") throw missingMethod(character, "isdigit");
    if (/^\d+$/.test(character)) digits += Number(character);
  }
  const factor = classFactors[travelClass]! * (digits % 2 === 0 ? 2 : 1);
  return { cost: route[2] * factor, factor };
}
