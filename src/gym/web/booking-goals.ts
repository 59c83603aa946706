import type { Random } from "../../kit/random.ts";
import { type Booking, type BookingData, cities, classes } from "./booking.ts";
import { change, dayOf, type Goal, type PlanStep, question } from "./goal.ts";
import { drawName } from "./settings-goals.ts";

type Trip = { data: BookingData; from: string; to: string; date: string };

/** Trains of three routes, with times and prices that differ on a route. */
function drawTrip(random: Random): Trip {
  const [from, to, third] = random.shuffle(cities);
  const routes = [
    [from!, to!],
    [to!, from!],
    [from!, third!],
  ] as const;
  const trains = routes.flatMap(([from, to]) => {
    const count = 4 + random.integer(3);
    const hours = random.shuffle([6, 7, 8, 9, 10, 12, 13, 15, 17, 18, 20, 21]).slice(0, count);
    const prices = random.shuffle(Array.from({ length: 30 }, (_, index) => 20 + 3 * index));
    return hours
      .sort((a, b) => a - b)
      .map((hour, index) => ({
        from,
        to,
        leaves: `${String(hour).padStart(2, "0")}:${random.pick(["05", "20", "35", "50"])}`,
        price: prices[index]!,
      }));
  });
  const data = { trains, bookings: [] };
  return { data, from: from!, to: to!, date: dayOf(random, { year: 2027 }) };
}

const toTrains = ({ from, to, date }: Trip): PlanStep[] => [
  { select: 'combobox "From"', option: from },
  { select: 'combobox "To"', option: to },
  { type: 'date "Date"', text: date },
  { click: 'button "Continue"' },
];

/** Books the cheapest, the first or the last train through every step of the wizard. */
export function book(random: Random): Goal {
  const trip = drawTrip(random);
  const { data, from, to, date } = trip;
  const trains = data.trains.filter((train) => train.from === from && train.to === to);
  const wish = random.pick(["cheapest", "first", "last"] as const);
  const cheapest = trains.toSorted((a, b) => a.price - b.price)[0]!;
  const { leaves } = { cheapest, first: trains[0]!, last: trains.at(-1)! }[wish];
  const booking: Booking = {
    from,
    to,
    date,
    leaves,
    name: drawName(random),
    class: random.pick(classes),
    window: random.pick(["yes", ""]),
  };
  return change({
    goal: `Book the ${wish} train of the day from ${from} to ${to} on ${date} for ${booking.name}, class ${booking.class}, ${booking.window ? "with" : "without"} a window seat.`,
    site: "booking",
    data,
    expected: { ...data, bookings: [booking] },
    path: "/trip",
    plan: [
      ...toTrains(trip),
      { click: `radio "Train at ${leaves}"` },
      { click: 'button "Continue"' },
      { type: 'textbox "Full name"', text: booking.name },
      { select: 'combobox "Class"', option: booking.class },
      ...(booking.window ? [{ click: 'checkbox "Window seat"' }] : []),
      { click: 'button "Continue"' },
      { click: 'button "Confirm booking"' },
    ],
    key: `${wish} ${from} ${to} ${booking.class}`,
  });
}

/** Finds a price without booking anything. */
export function price(random: Random): Goal {
  const trip = drawTrip(random);
  const { data, from, to, date } = trip;
  const trains = data.trains.filter((train) => train.from === from && train.to === to);
  const { leaves, price } = random.pick(trains);
  return question({
    goal: `What does the train at ${leaves} from ${from} to ${to} on ${date} cost? Do not book it. Answer with the number alone.`,
    site: "booking",
    data,
    path: "/trip",
    plan: toTrains(trip),
    value: String(price),
    guess: String(price + 1),
    key: `${from} ${to} ${leaves}`,
  });
}
