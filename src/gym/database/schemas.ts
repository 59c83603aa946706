import { createRandom, deriveSeed, type Random } from "../../kit/random.ts";

/**
 * A generated database: owners that belong to a group each, and items that belong to an owner each. `nouns` are how
 * the questions speak of them.
 */
export type Schema = {
  owners: { table: string; noun: string; group: string; groups: readonly string[] };
  items: {
    table: string;
    noun: string;
    owner: string;
    label: string;
    labels: readonly string[];
    state: string;
    states: readonly string[];
    amount: string;
    amounts: readonly [number, number];
    date: string;
  };
};

export const schemas: Record<string, Schema> = {
  shop: {
    owners: {
      table: "customers",
      noun: "customer",
      group: "city",
      groups: ["Lisbon", "Oslo", "Quito", "Kyoto", "Accra"],
    },
    items: {
      table: "orders",
      noun: "order",
      owner: "customer_id",
      label: "product",
      labels: ["desk", "lamp", "chair", "shelf", "rug", "clock", "mirror"],
      state: "status",
      states: ["paid", "open", "shipped", "returned"],
      amount: "price",
      amounts: [500, 90_000],
      date: "ordered_on",
    },
  },
  school: {
    owners: {
      table: "teachers",
      noun: "teacher",
      group: "department",
      groups: ["history", "physics", "music", "biology"],
    },
    items: {
      table: "courses",
      noun: "course",
      owner: "teacher_id",
      label: "room",
      labels: ["north hall", "room 12", "room 31", "studio", "laboratory"],
      state: "level",
      states: ["beginner", "intermediate", "advanced"],
      amount: "fee",
      amounts: [1000, 40_000],
      date: "starts_on",
    },
  },
  clinic: {
    owners: {
      table: "doctors",
      noun: "doctor",
      group: "specialty",
      groups: ["cardiology", "dermatology", "neurology", "pediatrics"],
    },
    items: {
      table: "visits",
      noun: "visit",
      owner: "doctor_id",
      label: "reason",
      labels: ["check-up", "follow-up", "vaccination", "x-ray", "blood test", "advice"],
      state: "outcome",
      states: ["cured", "referred", "repeated", "cancelled"],
      amount: "cost",
      amounts: [2000, 60_000],
      date: "visited_on",
    },
  },
  library: {
    owners: {
      table: "members",
      noun: "member",
      group: "branch",
      groups: ["Harbour", "Station", "Old Town", "Hillside"],
    },
    items: {
      table: "loans",
      noun: "loan",
      owner: "member_id",
      label: "genre",
      labels: ["poetry", "travel", "crime", "science", "comics", "biography"],
      state: "state",
      states: ["out", "returned", "overdue", "lost"],
      amount: "deposit",
      amounts: [100, 9_000],
      date: "lent_on",
    },
  },
  farm: {
    owners: {
      table: "growers",
      noun: "grower",
      group: "valley",
      groups: ["Alder", "Birch", "Cedar", "Elm", "Maple"],
    },
    items: {
      table: "harvests",
      noun: "harvest",
      owner: "grower_id",
      label: "crop",
      labels: ["apples", "barley", "carrots", "leeks", "plums", "rye"],
      state: "grade",
      states: ["first", "second", "mixed"],
      amount: "weight",
      amounts: [3000, 95_000],
      date: "picked_on",
    },
  },
};

export type Owner = { id: number; name: string; group: string };
export type Item = {
  id: number;
  owner: number;
  code: string;
  label: string;
  state: string;
  amount: number;
  date: string;
};
export type World = { schema: Schema; owners: Owner[]; items: Item[]; script: string; description: string };

const [starts, middles, ends] = [
  ["Ber", "Cal", "Dor", "Fen", "Gal", "Hol", "Jor", "Kel", "Mar", "Nor", "Per", "Ros", "Sel", "Tor", "Vel"],
  ["a", "e", "i", "o", "an", "en", "il", "or"],
  ["da", "lin", "mos", "nia", "ra", "sen", "ta", "vik"],
];

/** A name that none of `taken` is. */
export function drawName(random: Random, taken: ReadonlySet<string>): string {
  for (;;) {
    const name = `${random.pick(starts!)}${random.pick(middles!)}${random.pick(ends!)}`;
    if (!taken.has(name)) return name;
  }
}

/** The database of a seed. Names, codes, amounts and dates are there once each, so that no question has two answers. */
export function createWorld(name: string, seed: number): World {
  const schema = schemas[name]!;
  const random = createRandom(deriveSeed(seed, "database", name));
  const names = new Set<string>();
  const owners = Array.from({ length: 8 + random.integer(7) }, (_, index) => {
    const own = drawName(random, names);
    names.add(own);
    return { id: index + 1, name: own, group: random.pick(schema.owners.groups) };
  });
  const [low, high] = schema.items.amounts;
  const once = (draw: () => number, taken: Set<number>) => {
    let drawn = draw();
    while (taken.has(drawn)) drawn = draw();
    taken.add(drawn);
    return drawn;
  };
  const [amounts, days, codes] = [new Set<number>(), new Set<number>(), new Set<number>()];
  const letter = schema.items.noun[0]!.toUpperCase();
  const items = Array.from({ length: 24 + random.integer(37) }, (_, index) => ({
    id: index + 1,
    owner: random.pick(owners).id,
    code: `${letter}-${once(() => 100 + random.integer(900), codes)}`,
    label: random.pick(schema.items.labels),
    state: random.pick(schema.items.states),
    amount: once(() => low + random.integer(high - low), amounts) / 100,
    date: dateOf(once(() => random.integer(700), days)),
  }));
  return { schema, owners, items, ...describe(schema, owners, items) };
}

const dateOf = (day: number) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);

function describe({ owners: o, items: i }: Schema, owners: readonly Owner[], items: readonly Item[]) {
  const tables = [
    `CREATE TABLE ${o.table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, ${o.group} TEXT NOT NULL)`,
    `CREATE TABLE ${i.table} (id INTEGER PRIMARY KEY, code TEXT NOT NULL, ${i.owner} INTEGER NOT NULL REFERENCES ${o.table}(id), ${i.label} TEXT NOT NULL, ${i.state} TEXT NOT NULL, ${i.amount} REAL NOT NULL, ${i.date} TEXT NOT NULL)`,
  ];
  const rows = (values: readonly (readonly (string | number)[])[]) =>
    values
      .map((row) => `(${row.map((cell) => (typeof cell === "number" ? cell : quote(cell))).join(",")})`)
      .join(",");
  const inserts = [
    `INSERT INTO ${o.table} VALUES ${rows(owners.map((row) => [row.id, row.name, row.group]))}`,
    `INSERT INTO ${i.table} VALUES ${rows(items.map((row) => [row.id, row.code, row.owner, row.label, row.state, row.amount, row.date]))}`,
  ];
  return { script: [...tables, ...inserts].join(";\n"), description: tables.join(";\n") };
}

/** A text as SQL writes it. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
