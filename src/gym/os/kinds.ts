import type { TaskKind } from "../../environment/task-stream.ts";
import { type Goal, treeCheck } from "./goal.ts";
import type { OsInput } from "./os.ts";
import {
  between,
  drawConfig,
  drawLog,
  drawNames,
  drawSales,
  drawTree,
  folders,
  levels,
  regions,
  services,
} from "./world.ts";

type Draw = { input: OsInput; answer: Goal; key: string };

const asking = (
  question: string,
  files: Record<string, string>,
  plan: string[],
  text: string,
  key: string,
): Draw => ({
  input: { question, files, plan },
  answer: { text },
  key,
});

const doing = (
  question: string,
  files: Record<string, string>,
  plan: string[],
  left: Record<string, string>,
  key: string,
): Draw => ({ input: { question, files, plan }, answer: { check: [treeCheck(left)] }, key });

/** Draws until a condition holds; what is asked for must have one answer. */
function drawUntil<Value>(draw: () => Value, holds: (value: Value) => boolean): Value {
  for (;;) {
    const value = draw();
    if (holds(value)) return value;
  }
}

const counts = (values: readonly string[]) => {
  const count = new Map<string, number>();
  for (const value of values) count.set(value, (count.get(value) ?? 0) + 1);
  return [...count].sort(([, a], [, b]) => b - a);
};

/** Those that end with an answer, then those that end with changed files. */
export const kinds: Record<string, TaskKind<OsInput>> = {
  files(random) {
    const tree = drawTree(random);
    const [folder, ending] = [random.pick(folders), random.pick(["log", "txt", "csv", "md"])];
    const found = Object.keys(tree).filter(
      (path) => path.startsWith(`${folder}/`) && path.endsWith(`.${ending}`),
    );
    return asking(
      `How many files below ${folder}, however deep, have a name that ends in .${ending}?`,
      tree,
      [`ls -R ${folder}`, `find ${folder} -type f -name '*.${ending}' 2>/dev/null | wc -l`],
      String(found.length),
      `${folder} ${ending} ${Object.keys(tree).length}`,
    );
  },
  lines(random) {
    const { path, lines } = drawLog(random);
    const [level, service] = [random.pick(levels), random.pick(services)];
    const found = lines.filter(([, ofLevel, ofService]) => ofLevel === level && ofService === service);
    return asking(
      `How many lines of ${path} are of the level ${level} and the service ${service}?`,
      { [path]: toText(lines) },
      [`head -3 ${path}`, `grep -c ' ${level} ${service} ' ${path} || true`],
      String(found.length),
      `${path} ${level} ${service}`,
    );
  },
  busiest(random) {
    const { path, lines } = drawUntil(
      () => drawLog(random),
      (log) => {
        const [first, second] = counts(log.lines.map(([, , , user]) => user));
        return first![1] > (second?.[1] ?? 0);
      },
    );
    const [[user]] = counts(lines.map(([, , , by]) => by)) as [[string, number]];
    return asking(
      `Which user has the most lines in ${path}?`,
      { [path]: toText(lines) },
      [
        `head -3 ${path}`,
        `awk '{print $4}' ${path} | sort | uniq -c | sort -rn | head -1 | awk '{print $2}'`,
      ],
      user,
      `${path} ${user} ${lines.length}`,
    );
  },
  sum(random) {
    const { path, header, rows } = drawSales(random);
    const region = random.pick(regions);
    const total = rows.reduce((sum, [, of, amount]) => sum + (of === region ? amount : 0), 0);
    return asking(
      `What is the sum of amount over the rows of ${path} whose region is ${region}?`,
      { [path]: [header, ...rows.map((row) => row.join(","))].join("\n") },
      [`head -2 ${path}`, `awk -F, '$2 == "${region}" {sum += $3} END {print sum + 0}' ${path}`],
      String(total),
      `${path} ${region} ${rows.length}`,
    );
  },
  largest(random) {
    const folder = random.pick(folders);
    const tree = drawUntil(
      () => drawTree(random),
      (drawn) => {
        const sizes = below(drawn, folder).map((path) => drawn[path]!.length);
        return sizes.length > 2 && sizes.filter((size) => size === Math.max(...sizes)).length === 1;
      },
    );
    const largest = below(tree, folder).sort((a, b) => tree[b]!.length - tree[a]!.length)[0]!;
    return asking(
      `Which file below ${folder} has the most bytes? Answer with its path from the home directory.`,
      tree,
      [
        `ls -R ${folder}`,
        `find ${folder} -type f | while read -r f; do echo "$(wc -c < "$f") $f"; done | sort -rn | head -1 | awk '{print $2}'`,
      ],
      largest,
      `${folder} ${largest}`,
    );
  },
  setting(random) {
    const { path, config } = drawConfig(random);
    const service = random.pick(Object.keys(config));
    const field = random.pick(["port", "workers", "timeout"] as const);
    return asking(
      `What is the ${field} of the service ${service} in ${path}?`,
      { [path]: JSON.stringify(config, null, 2) },
      [`head -5 ${path}`, `jq -r '.${service}.${field}' ${path}`],
      String(config[service]![field]),
      `${path} ${service} ${field}`,
    );
  },
  missing(random) {
    const names = drawNames(random, 12);
    const [absent, ...rest] = names;
    return asking(
      "One name is in members.txt and not in present.txt. Which one?",
      { "members.txt": random.shuffle(names).join("\n"), "present.txt": random.shuffle(rest).join("\n") },
      ["wc -l members.txt present.txt", "grep -vxFf present.txt members.txt"],
      absent!,
      `${absent} ${rest.slice(0, 2).join(" ")}`,
    );
  },
  assign(random) {
    const { path, config } = drawConfig(random);
    const service = random.pick(Object.keys(config));
    const lines = (value: (name: string) => number) =>
      Object.entries(config)
        .map(([name, { port }]) => `${name}.port=${port}\n${name}.timeout=${value(name)}`)
        .join("\n");
    const file = path.replace(/\.json$/, ".conf");
    const value = between(random, 61, 99);
    const before = lines((name) => config[name]!.timeout);
    const after = lines((name) => (name === service ? value : config[name]!.timeout));
    return doing(
      `Set ${service}.timeout to ${value} in ${file} and leave the rest of the file as it is.`,
      { [file]: before },
      [`grep ${service} ${file}`, `sed -i 's/^${service}\\.timeout=.*/${service}.timeout=${value}/' ${file}`],
      { [file]: after },
      `${file} ${service} ${value}`,
    );
  },
  rename(random) {
    const names = drawNames(random, between(random, 3, 6)).map((name) => name.toLowerCase());
    const [folder, [from, to]] = [random.pick(folders), random.pick(endings)];
    const extra = { [`${folder}/readme.rst`]: "do not rename" };
    const named = (ending: string) =>
      Object.fromEntries(
        names.map((name, index) => [`${folder}/${name}.${ending}`, `text ${index} of ${name}`]),
      );
    return doing(
      `In ${folder}, rename every file that ends in .${from} so that it ends in .${to} instead.`,
      { ...named(from), ...extra },
      [`ls ${folder}`, `cd ${folder} && for f in *.${from}; do mv "$f" "\${f%.${from}}.${to}"; done`],
      { ...named(to), ...extra },
      `${folder} ${from} ${to} ${names.length} ${names[0]}`,
    );
  },
  distinct(random) {
    const names = drawNames(random, between(random, 4, 8));
    const lines = random.shuffle([...names, ...names.slice(0, between(random, 1, names.length - 1))]);
    const target = random.pick(["unique.txt", "out/names.txt", "sorted.txt"]);
    const files = { "names.txt": lines.join("\n") };
    return doing(
      `Write every name of names.txt once, in alphabetical order, one to a line, to ${target}.`,
      files,
      ["wc -l names.txt", `mkdir -p "$(dirname ${target})" && LC_ALL=C sort -u names.txt > ${target}`],
      { ...files, [target]: [...names].sort().join("\n") },
      `${target} ${lines.length} ${names[0]}`,
    );
  },
  quarantine(random) {
    const names = drawNames(random, between(random, 4, 7)).map((name) => name.toLowerCase());
    const [folder, word] = [random.pick(folders), random.pick(["FATAL", "PANIC", "CORRUPT"])];
    const bad = names.slice(0, between(random, 1, names.length - 2));
    const text = (name: string) =>
      `start ${name}\n${bad.includes(name) ? `${word} at ${name}` : "fine"}\nend`;
    const at = (place: (name: string) => string) =>
      Object.fromEntries(names.map((name) => [`${place(name)}/${name}.log`, text(name)]));
    return doing(
      `Move every file of ${folder} that contains the word ${word} to a folder named quarantine in the home directory.`,
      at(() => folder),
      [`grep -l ${word} ${folder}/*`, `mkdir -p quarantine && mv $(grep -l ${word} ${folder}/*) quarantine/`],
      at((name) => (bad.includes(name) ? "quarantine" : folder)),
      `${folder} ${word} ${names[0]} ${bad.length}`,
    );
  },
  replace(random) {
    const names = drawNames(random, between(random, 3, 5)).map((name) => name.toLowerCase());
    const [folder, [old, fresh]] = [
      random.pick(folders),
      random.shuffle(services).slice(0, 2) as [string, string],
    ];
    const with_ = (host: string) =>
      Object.fromEntries(
        names.map((name, index) => [
          `${folder}/${index % 2 === 0 ? "" : "deep/"}${name}.conf`,
          `host=${host}.internal\nname=${name}\nbackup=${host}.internal`,
        ]),
      );
    return doing(
      `In all files below ${folder}, however deep, replace ${old}.internal by ${fresh}.internal wherever it stands.`,
      with_(old),
      [
        `grep -rn ${old} ${folder}`,
        `find ${folder} -type f | while read -r f; do sed -i 's/${old}\\.internal/${fresh}.internal/g' "$f"; done`,
      ],
      with_(fresh),
      `${folder} ${old} ${fresh} ${names[0]}`,
    );
  },
};

const endings: [string, string][] = [
  ["txt", "md"],
  ["jpeg", "jpg"],
  ["htm", "html"],
  ["log", "old"],
];

const below = (tree: Record<string, string>, folder: string) =>
  Object.keys(tree).filter((path) => path.startsWith(`${folder}/`));

const toText = (lines: readonly (readonly string[])[]) => lines.map((line) => line.join(" ")).join("\n");
