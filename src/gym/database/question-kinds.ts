import type { Random } from "../../kit/random.ts";
import { drawName, quote, type World } from "./schemas.ts";

/** A question and the statements that answer it; `#` in a statement is the first value of the one before. */
export type Question = { question: string; plan: string[]; ordered?: boolean; parts: string };

export type QuestionKind = (random: Random, world: World) => Question;

const rounded = "rounded to two decimals";
const cents = (amount: number) => amount.toFixed(2);

/** Questions that are answered by values. `parts` is what is asked for, which decides the split. */
export const readingKinds: Record<string, QuestionKind> = {
  lookup(random, { schema: { owners: o, items: i }, owners, items }) {
    if (random.next() < 0.4) {
      const { name } = random.pick(owners);
      return {
        question: `What is the ${o.group} of the ${o.noun} ${name}?`,
        plan: [`SELECT ${o.group} FROM ${o.table} WHERE name = ${quote(name)}`],
        parts: name,
      };
    }
    const { code } = random.pick(items);
    const column = random.pick([i.label, i.state, i.amount, i.date]);
    return {
      question: `What is the ${spoken(column)} of the ${i.noun} ${code}?`,
      plan: [`SELECT ${column} FROM ${i.table} WHERE code = ${quote(code)}`],
      parts: `${code} ${column}`,
    };
  },
  count(random, { schema: { items: i }, items }) {
    const { state, amount } = random.pick(items);
    const least = Math.floor(amount);
    return {
      question: `How many ${plural(i.noun)} have the ${spoken(i.state)} "${state}" and a ${i.amount} of at least ${least}?`,
      plan: [
        `SELECT count(*) FROM ${i.table} WHERE ${i.state} = ${quote(state)} AND ${i.amount} >= ${least}`,
      ],
      parts: `${state} ${least}`,
    };
  },
  total(random, { schema: { items: i }, items }) {
    const { state, label } = random.pick(items);
    const [word, sql] = random.pick([
      ["total", "sum"],
      ["average", "avg"],
      ["highest", "max"],
      ["lowest", "min"],
    ] as const);
    return {
      question: `What is the ${word} ${i.amount} of the ${plural(i.noun)} with ${spoken(i.label)} "${label}" and ${spoken(i.state)} "${state}", ${rounded}?`,
      plan: [
        `SELECT round(${sql}(${i.amount}), 2) FROM ${i.table} WHERE ${i.label} = ${quote(label)} AND ${i.state} = ${quote(state)}`,
      ],
      parts: `${sql} ${state} ${label}`,
    };
  },
  group(random, { schema: { items: i }, items }) {
    const { label } = random.pick(items);
    const least = items.filter((item) => item.label === label).length;
    const { state } = random.pick(items);
    const inState = items.filter((item) => item.state === state);
    const most = Math.max(0, ...i.labels.map((name) => inState.filter((item) => item.label === name).length));
    const [from, wanted] =
      random.next() < 0.5
        ? [`in the ${spoken(i.state)} "${state}"`, Math.max(1, most - random.integer(2))]
        : ["", least];
    const where = from === "" ? "" : ` WHERE ${i.state} = ${quote(state)}`;
    return {
      question: `Which values of ${spoken(i.label)} have at least ${wanted} ${plural(i.noun)}${from && ` ${from}`}? Name all of them.`,
      plan: [`SELECT ${i.label} FROM ${i.table}${where} GROUP BY ${i.label} HAVING count(*) >= ${wanted}`],
      parts: `${wanted} ${from}`,
    };
  },
  join(random, { schema: { owners: o, items: i }, owners, items }) {
    const item = random.pick(items);
    const owner = owners[item.owner - 1]!;
    const joined = `FROM ${i.table} JOIN ${o.table} ON ${o.table}.id = ${i.table}.${i.owner}`;
    if (random.next() < 0.5)
      return {
        question: `List the codes of all ${plural(i.noun)} of the ${o.noun} ${owner.name}.`,
        plan: [`SELECT ${i.table}.code ${joined} WHERE ${o.table}.name = ${quote(owner.name)}`],
        parts: `codes ${owner.name}`,
      };
    return {
      question: `What is the total ${i.amount} of the ${plural(i.noun)} with ${spoken(i.state)} "${item.state}" whose ${o.noun} is in the ${o.group} "${owner.group}", ${rounded}?`,
      plan: [
        `SELECT round(sum(${i.table}.${i.amount}), 2) ${joined} WHERE ${i.table}.${i.state} = ${quote(item.state)} AND ${o.table}.${o.group} = ${quote(owner.group)}`,
      ],
      parts: `total ${owner.group} ${item.state}`,
    };
  },
  top(random, { schema: { items: i }, items }) {
    const { state } = random.pick(items);
    const count = 1 + random.integer(4);
    const [word, column, order] = random.pick([
      ["highest", i.amount, "DESC"],
      ["lowest", i.amount, "ASC"],
      ["latest", i.date, "DESC"],
      ["earliest", i.date, "ASC"],
    ] as const);
    return {
      question: `Give the codes of the ${count} ${count === 1 ? i.noun : plural(i.noun)} with the ${word} ${spoken(column)} among those with ${spoken(i.state)} "${state}" (all of them where there are fewer), the ${word} first.`,
      plan: [
        `SELECT code FROM ${i.table} WHERE ${i.state} = ${quote(state)} ORDER BY ${column} ${order} LIMIT ${count}`,
      ],
      ordered: true,
      parts: `${count} ${word} ${column} ${state}`,
    };
  },
};

/** Questions that change the tables, graded on all of them. */
export const writingKinds: Record<string, QuestionKind> = {
  insert(random, { schema: { owners: o }, owners }) {
    const name = drawName(random, new Set(owners.map((owner) => owner.name)));
    const group = random.pick(o.groups);
    return {
      question: `Add a ${o.noun} named ${name} with the ${o.group} "${group}", under the next free id.`,
      plan: [`INSERT INTO ${o.table} (name, ${o.group}) VALUES (${quote(name)}, ${quote(group)})`],
      parts: `${name} ${group}`,
    };
  },
  update(random, { schema: { items: i }, items }) {
    const item = random.pick(items);
    if (random.next() < 0.5) {
      const state = random.pick(i.states.filter((other) => other !== item.state));
      return {
        question: `Set the ${spoken(i.state)} of the ${i.noun} ${item.code} to "${state}".`,
        plan: [`UPDATE ${i.table} SET ${i.state} = ${quote(state)} WHERE code = ${quote(item.code)}`],
        parts: `${item.code} ${state}`,
      };
    }
    const more = 1 + random.integer(20);
    return {
      question: `Raise the ${i.amount} of every ${i.noun} with ${spoken(i.label)} "${item.label}" and ${spoken(i.state)} "${item.state}" by ${more}.`,
      plan: [
        `UPDATE ${i.table} SET ${i.amount} = ${i.amount} + ${more} WHERE ${i.label} = ${quote(item.label)} AND ${i.state} = ${quote(item.state)}`,
      ],
      parts: `${item.label} ${item.state} ${more}`,
    };
  },
  delete(random, { schema: { items: i }, items }) {
    const item = random.pick(items);
    const limit = cents(item.amount + 1);
    return {
      question: `Delete every ${i.noun} with ${spoken(i.state)} "${item.state}" and a ${i.amount} below ${limit}.`,
      plan: [`DELETE FROM ${i.table} WHERE ${i.state} = ${quote(item.state)} AND ${i.amount} < ${limit}`],
      parts: `${item.state} ${limit}`,
    };
  },
  move(random, { schema: { owners: o, items: i }, owners, items }) {
    const item = random.pick(items);
    const owner = random.pick(owners.filter(({ id }) => id !== item.owner));
    return {
      question: `Make ${owner.name} the ${o.noun} of the ${i.noun} ${item.code}.`,
      plan: [
        `SELECT id FROM ${o.table} WHERE name = ${quote(owner.name)}`,
        `UPDATE ${i.table} SET ${i.owner} = # WHERE code = ${quote(item.code)}`,
      ],
      parts: `${item.code} ${owner.name}`,
    };
  },
  follow(random, { schema: { owners: o, items: i }, items }) {
    const { state } = random.pick(items);
    // none of the items that are changed has it yet
    const next = random.pick(i.states.filter((other) => other !== state));
    return {
      question: `Find the ${o.noun} whose ${plural(i.noun)} with ${spoken(i.state)} "${state}" have the highest total ${i.amount}, and set the ${spoken(i.state)} of these ${plural(i.noun)} to "${next}".`,
      plan: [
        `SELECT ${i.owner} FROM ${i.table} WHERE ${i.state} = ${quote(state)} GROUP BY ${i.owner} ORDER BY sum(${i.amount}) DESC LIMIT 1`,
        `UPDATE ${i.table} SET ${i.state} = ${quote(next)} WHERE ${i.owner} = # AND ${i.state} = ${quote(state)}`,
      ],
      parts: `${state} ${next}`,
    };
  },
};

const spoken = (column: string) => column.replaceAll("_", " ");
const plural = (noun: string) => `${noun}s`;

/** A plan's statement with `#` filled in. */
export const fillIn = (sql: string, seen: string | undefined): string => sql.replaceAll("#", seen ?? "NULL");
