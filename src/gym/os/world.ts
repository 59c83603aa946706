import type { Random } from "../../kit/random.ts";

export const folders = ["archive", "data", "inbox", "logs", "notes", "project", "reports", "var"];
export const levels = ["INFO", "WARN", "ERROR", "DEBUG"];
export const services = ["auth", "billing", "cache", "mail", "queue", "search"];
export const regions = ["north", "south", "east", "west"];

const users = ["amara", "bilal", "chen", "dara", "elif", "farid", "goran", "hana"];
const syllables = [
  "ba",
  "cor",
  "del",
  "fin",
  "gar",
  "hol",
  "jun",
  "kel",
  "lum",
  "mar",
  "nor",
  "pel",
  "ros",
  "tav",
];
const words = ["alpha", "beacon", "cedar", "drift", "ember", "flint", "grove", "harbor"];

/** A whole number from `least` to `most`, both included. */
export const between = (random: Random, least: number, most: number) =>
  least + random.integer(most - least + 1);

/** Different names, in no order. */
export function drawNames(random: Random, count: number): string[] {
  const names = new Set<string>();
  while (names.size < count) {
    const name = `${random.pick(syllables)}${random.pick(syllables)}${random.pick(["", "a", "o", "is"])}`;
    names.add(name[0]!.toUpperCase() + name.slice(1));
  }
  return [...names];
}

/** Files of several endings, in some folders and the folders in them. */
export function drawTree(random: Random): Record<string, string> {
  const files: Record<string, string> = {};
  for (const folder of folders)
    for (const name of random.shuffle(words).slice(0, between(random, 1, 4))) {
      const place = random.pick([folder, folder, `${folder}/${random.pick(["old", "new", "tmp"])}`]);
      files[`${place}/${name}.${random.pick(["log", "txt", "csv", "md"])}`] = "x".repeat(
        between(random, 1, 400),
      );
    }
  return files;
}

type LogLine = [time: string, level: string, service: string, user: string, number: string];

export function drawLog(random: Random): { path: string; lines: LogLine[] } {
  const lines = Array.from(
    { length: between(random, 20, 60) },
    (_, index): LogLine => [
      `09:${String(index % 60).padStart(2, "0")}`,
      random.pick(levels),
      random.pick(services),
      random.pick(users),
      String(between(random, 1, 999)),
    ],
  );
  return { path: `${random.pick(folders)}/${random.pick(words)}.log`, lines };
}

export function drawSales(random: Random): {
  path: string;
  header: string;
  rows: [string, string, number][];
} {
  const rows = Array.from({ length: between(random, 10, 40) }, (): [string, string, number] => [
    random.pick(words),
    random.pick(regions),
    between(random, 1, 500),
  ]);
  return { path: `${random.pick(folders)}/${random.pick(words)}.csv`, header: "item,region,amount", rows };
}

type Settings = { port: number; workers: number; timeout: number };

export function drawConfig(random: Random): { path: string; config: Record<string, Settings> } {
  const config: Record<string, Settings> = {};
  for (const service of random.shuffle(services).slice(0, between(random, 3, 5)))
    config[service] = {
      port: between(random, 1024, 9999),
      workers: between(random, 1, 16),
      timeout: between(random, 5, 60),
    };
  return { path: `${random.pick(folders)}/${random.pick(words)}.json`, config };
}
