import { parseDate } from "../python/date.ts";
import { PythonError } from "../python/error.ts";
import { missingMethod } from "../python/lines.ts";
import { assign, dictFor, toFloat } from "../python/methods.ts";
import { contains, operate, subscript } from "../python/operators.ts";
import { roundFloat } from "../python/rounding.ts";
import { repr, str } from "../python/text.ts";
import { isEqual, type PythonDict, type PythonValue, toDict } from "../python/value.ts";
import { copyOf } from "./copy.ts";
import { type LongContextName, longContext } from "./long-context.ts";
import { createPythonRandom, type PythonRandom } from "./random.ts";
import type { CommonValues, Method, SimulatorClass } from "./simulator.ts";
import { flights } from "./travel-flights.ts";
import { dollarRates } from "./travel-routes.ts";
import { accessToken, draw, isValueError, refusal } from "./travel-token.ts";

/** Flights, credit cards and insurance of one traveller. */
export const travelApi: SimulatorClass = {
  name: "TravelAPI",
  create(config, { longContext: isLong, common = new Map() }) {
    const state: PythonDict = new Map();
    for (const [name, value] of Object.entries(defaults())) state.set(name, config.get(name) ?? value);
    state.set("long_context", isLong);
    if (isLong) {
      extend(state.get("credit_card_list")!, commonValue(common, "CREDIT_CARD_EXTENSION"));
      extend(state.get("booking_record")!, commonValue(common, "BOOKING_RECORD_EXTENSION"));
    }
    const random = createPythonRandom(config.get("random_seed") ?? 141_053n);
    return {
      methods: { ...account(state, random), ...flights(state, random), ...paperwork(state) },
      state: () => state,
    };
  },
};

const defaults = (): Record<string, PythonValue> => ({
  credit_card_list: new Map(),
  booking_record: new Map(),
  access_token: null,
  token_type: null,
  token_expires_in: null,
  token_scope: null,
  user_first_name: null,
  user_last_name: null,
  budget_limit: null,
});

/** The original adds the very cards and bookings to every traveller, so that what one spends the other has not. */
function commonValue(common: CommonValues, name: LongContextName): PythonValue {
  const value = common.get(name) ?? copyOf(longContext(name));
  common.set(name, value);
  return value;
}

/** Adds what is not there under the same key. */
function extend(record: PythonValue, extension: PythonValue): void {
  for (const [key, value] of dictFor(extension, "items"))
    if (!contains(record, key)) assign(record, key, value);
}

function account(state: PythonDict, random: PythonRandom): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;

  return {
    authenticate_travel: {
      parameters: [
        "client_id",
        "client_secret",
        "refresh_token",
        "grant_type",
        "user_first_name",
        "user_last_name",
      ].map((name) => ({ name })),
      call(_id = null, _secret = null, _refresh = null, grantType = null, first = null, last = null) {
        state.set("token_expires_in", 2n);
        state.set("access_token", draw(random, 100_000n, 999_999n));
        state.set("token_type", "Bearer");
        state.set("token_scope", grantType);
        state.set("user_first_name", first);
        state.set("user_last_name", last);
        return toDict({
          expires_in: 2n,
          access_token: of("access_token"),
          token_type: "Bearer",
          scope: grantType,
        });
      },
    },
    travel_get_login_status: {
      parameters: [],
      call() {
        const left = of("token_expires_in");
        return toDict({ status: !(left === null || isEqual(left, 0n)) });
      },
    },
    get_budget_fiscal_year: {
      parameters: [
        { name: "lastModifiedAfter", default: null },
        { name: "includeRemoved", default: null },
      ],
      call: () => toDict({ budget_fiscal_year: "2018" }),
    },
    register_credit_card: {
      parameters: [
        accessToken,
        { name: "card_number" },
        { name: "expiration_date" },
        { name: "cardholder_name" },
        { name: "card_verification_number" },
      ],
      call(token = null, number = null, expires = null, holder = null, verification = null) {
        if (of("token_expires_in") === null) return toDict({ error: "Token not initialized" });
        const refused = refusal(state, token);
        if (refused) return toDict({ error: refused });
        if (contains(of("credit_card_list"), number)) return toDict({ error: "Card already registered" });
        const id = draw(random, 100_000_000_000n, 999_999_999_999n);
        const card = toDict({
          card_number: number,
          expiration_date: expires,
          cardholder_name: holder,
          card_verification_number: verification,
          balance: random.randint(10_000n, 99_999n),
        });
        assign(of("credit_card_list"), id, card);
        return toDict({ card_id: id });
      },
    },
    get_credit_card_balance: {
      parameters: [accessToken, { name: "card_id" }],
      call(token = null, id = null) {
        const refused = refusal(state, token);
        if (refused) return toDict({ error: refused });
        const cards = of("credit_card_list");
        if (!contains(cards, id)) {
          const known = repr([...dictFor(cards, "keys").keys()]);
          return toDict({ error: `Card not registered. Here are a list of card_id's: ${known}` });
        }
        return toDict({ card_balance: subscript(subscript(cards, id), "balance") });
      },
    },
    get_all_credit_cards: {
      parameters: [],
      call: () => toDict({ credit_card_list: of("credit_card_list") }),
    },
    set_budget_limit: {
      parameters: [accessToken, { name: "budget_limit" }],
      call(token = null, limit = null) {
        const refused = refusal(state, token);
        if (refused) return toDict({ error: refused });
        state.set("budget_limit", toFloat(limit));
        return toDict({ budget_limit: of("budget_limit") });
      },
    },
  };
}

function paperwork(state: PythonDict): Record<string, Method> {
  const of = (name: string) => state.get(name) as PythonValue;

  return {
    retrieve_invoice: {
      parameters: [
        accessToken,
        { name: "booking_id", default: null },
        { name: "insurance_id", default: null },
      ],
      call(token = null, id = null) {
        const refused = refusal(state, token);
        if (refused) return toDict({ error: refused });
        if (!contains(of("booking_record"), id)) return toDict({ error: "Booking not found" });
        const booking = subscript(of("booking_record"), id);
        const fields = [
          "travel_date",
          "travel_from",
          "travel_to",
          "travel_class",
          "travel_cost",
          "transaction_id",
        ];
        const invoice = toDict({ booking_id: id });
        for (const field of fields) invoice.set(field, subscript(booking, field));
        return toDict({ invoice });
      },
    },
    get_booking_history: {
      parameters: [accessToken],
      call(token = null) {
        const refused = refusal(state, token);
        return toDict(refused ? { error: refused } : { booking_history: copyOf(of("booking_record")) });
      },
    },
    compute_exchange_rate: {
      parameters: [{ name: "base_currency" }, { name: "target_currency" }, { name: "value" }],
      call(base = null, target = null, value = null) {
        for (const [currency, rate] of dollarRates) {
          if (isEqual(base, "USD") && isEqual(target, currency))
            return toDict({ exchanged_value: toFloat(operate(value, "*", rate)) });
          if (isEqual(base, currency) && isEqual(target, "USD"))
            return toDict({ exchanged_value: roundFloat(operate(value, "/", rate) as number, 2n) });
        }
        throw new PythonError("ValueError", "No available exchange rate for the given currencies.");
      },
    },
    verify_traveler_information: {
      parameters: [
        { name: "first_name" },
        { name: "last_name" },
        { name: "date_of_birth" },
        { name: "passport_number" },
      ],
      call(first = null, last = null, birth = null, passport = null) {
        const fail = (why: string) => toDict({ verification_status: false, verification_failure: why });
        const [knownFirst, knownLast] = [of("user_first_name"), of("user_last_name")];
        if (!isEqual(knownFirst, first) || !isEqual(knownLast, last))
          return fail(
            `Cannot book flight information for another user.Expected ${str(knownFirst)} ${str(knownLast)}, got ${str(first)} ${str(last)}`,
          );
        if (isValueError(() => parseDate(birth, "%Y-%m-%d")))
          return fail("Invalid date of birth format. Please use YYYY-MM-DD.");
        if (ageOf(parseDate(birth, "%Y-%m-%d")) < 18) return fail("Traveler must be at least 18 years old.");
        if (typeof passport !== "string") throw missingMethod(passport, "startswith");
        if (!passport.startsWith("US")) return fail("Passport must be issued by the United States.");
        return toDict({ verification_status: true });
      },
    },
    contact_customer_support: {
      parameters: [{ name: "booking_id" }, { name: "message" }],
      call: (id = null) =>
        toDict(
          contains(of("booking_record"), id)
            ? {
                customer_support_message:
                  "Thank you for contacting customer support. Your message has been received and we will get back to you shortly.",
              }
            : { error: "Booking not found" },
        ),
    },
  };
}

/** Whole years until today: the one answer of the benchmark that depends on the day. */
function ageOf(birthSeconds: number): number {
  const [birth, today] = [new Date(birthSeconds * 1000), new Date()];
  const years = today.getUTCFullYear() - birth.getUTCFullYear();
  const before =
    today.getUTCMonth() < birth.getUTCMonth() ||
    (today.getUTCMonth() === birth.getUTCMonth() && today.getUTCDate() < birth.getUTCDate());
  return years - (before ? 1 : 0);
}
