import type { TaskKind } from "../../environment/task-stream.ts";
import type { Random } from "../../kit/random.ts";

/** `steps` are the runs of a right solution; the last one prints the answer. */
export type MathInput = { question: string; steps: { javascript: string[]; python: string[] } };

const between = (random: Random, low: number, high: number) => low + random.integer(high - low + 1);

const toDraw = (
  question: string,
  answer: number | bigint | string,
  javascript: string[],
  python: string[],
  key: string,
) => ({ input: { question, steps: { javascript, python } }, answer: String(answer), key });

/** Families of problems whose answers are exact and tedious without a machine. */
export const problems: Record<string, TaskKind<MathInput>> = {
  power(random) {
    const [base, exponent, modulus] = [
      between(random, 12, 999),
      between(random, 100, 9999),
      between(random, 1001, 99_999),
    ];
    let answer = 1n;
    for (let count = 0; count < exponent; count++) answer = (answer * BigInt(base)) % BigInt(modulus);
    return toDraw(
      `What is the remainder of ${base}^${exponent} divided by ${modulus}?`,
      answer,
      [
        `let r = 1n;\nfor (let i = 0; i < ${exponent}; i++) r = r * ${base}n % ${modulus}n;\nprint(String(r))`,
      ],
      [`print(pow(${base}, ${exponent}, ${modulus}))`],
      `${base} ${exponent} ${modulus}`,
    );
  },
  recurrence(random) {
    const [first, second] = [between(random, 1, 9), between(random, 1, 9)];
    const [p, q, index, modulus] = [
      between(random, 2, 9),
      between(random, 2, 9),
      between(random, 50, 999),
      between(random, 101, 9999),
    ];
    let [a, b] = [first, second];
    for (let count = 0; count < index; count++) [a, b] = [b, (p * b + q * a) % modulus];
    return toDraw(
      `a(0) = ${first}, a(1) = ${second} and a(n) = ${p}*a(n-1) + ${q}*a(n-2). What is the remainder of a(${index}) divided by ${modulus}?`,
      a % modulus,
      [
        `let a = ${first}, b = ${second};\nfor (let i = 0; i < ${index}; i++) [a, b] = [b, (${p} * b + ${q} * a) % ${modulus}];\nprint(a % ${modulus})`,
      ],
      [
        `a, b = ${first}, ${second}\nfor i in range(${index}): a, b = b, (${p} * b + ${q} * a) % ${modulus}\nprint(a % ${modulus})`,
      ],
      `${first} ${second} ${p} ${q} ${index} ${modulus}`,
    );
  },
  divisors(random) {
    const number = between(random, 10, 80) * between(random, 10, 80) * between(random, 5, 40);
    const factor = random.pick([2, 3, 4, 5, 6, 7]);
    const divisors = Array.from({ length: number }, (_, index) => index + 1).filter(
      (each) => number % each === 0,
    );
    const answer = divisors.filter((each) => each % factor !== 0).reduce((sum, each) => sum + each, 0);
    return toDraw(
      `What is the sum of the divisors of ${number} that are not multiples of ${factor}?`,
      answer,
      [
        `const d = [];\nfor (let i = 1; i <= ${number}; i++) if (${number} % i === 0) d.push(i);\nprint(d.length)`,
        `print(d.filter((i) => i % ${factor}).reduce((s, i) => s + i, 0))`,
      ],
      [
        `d = [i for i in range(1, ${number} + 1) if ${number} % i == 0]\nprint(len(d))`,
        `print(sum(i for i in d if i % ${factor}))`,
      ],
      `${number} ${factor}`,
    );
  },
  paths(random) {
    const [width, height] = [between(random, 4, 14), between(random, 4, 14)];
    const [x, y] = [between(random, 1, width - 1), between(random, 1, height - 1)];
    const counts: number[][] = [];
    for (let i = 0; i <= width; i++) {
      counts.push([]);
      for (let j = 0; j <= height; j++)
        counts[i]!.push(
          i === x && j === y ? 0 : i + j === 0 ? 1 : (counts[i - 1]?.[j] ?? 0) + (counts[i]![j - 1] ?? 0),
        );
    }
    const choose =
      "const c = (n, k) => { let r = 1; for (let i = 1; i <= k; i++) r = r * (n - k + i) / i; return r };";
    return toDraw(
      `A path goes from (0,0) to (${width},${height}) in steps of 1 to the right or up. How many paths do not touch (${x},${y})?`,
      counts[width]![height]!,
      [
        `${choose}\nconst all = c(${width + height}, ${width});\nprint(all)`,
        `print(all - c(${x + y}, ${x}) * c(${width - x + height - y}, ${width - x}))`,
      ],
      [
        `from math import comb\nall_paths = comb(${width + height}, ${width})\nprint(all_paths)`,
        `print(all_paths - comb(${x + y}, ${x}) * comb(${width - x + height - y}, ${width - x}))`,
      ],
      `${width} ${height} ${x} ${y}`,
    );
  },
  dice(random) {
    const [dice, sides] = [between(random, 3, 6), random.pick([4, 6, 8, 10])];
    const target = between(random, dice + 1, dice * sides - 1);
    let ways = [1];
    for (let die = 0; die < dice; die++)
      ways = Array.from({ length: ways.length + sides }, (_, total) => {
        let sum = 0;
        for (let face = 1; face <= sides; face++) sum += ways[total - face] ?? 0;
        return sum;
      });
    const [a, b] = lowest(ways[target]!, sides ** dice);
    return toDraw(
      `${dice} fair dice with ${sides} sides each (1 to ${sides}) are thrown. What is the probability of a total of ${target}, as an exact fraction?`,
      `${a}/${b}`,
      [
        `let w = [1];\nfor (let d = 0; d < ${dice}; d++) { const n = Array(w.length + ${sides}).fill(0); w.forEach((v, t) => { for (let f = 1; f <= ${sides}; f++) n[t + f] += v }); w = n }\nprint(w[${target}])`,
        `print(w[${target}] + "/" + ${sides} ** ${dice})`,
      ],
      [
        `from itertools import product\nw = sum(1 for r in product(range(1, ${sides + 1}), repeat=${dice}) if sum(r) == ${target}) if ${sides ** dice} < 50000 else None\nif w is None:\n    c = [1]\n    for d in range(${dice}):\n        n = [0] * (len(c) + ${sides})\n        for t, v in enumerate(c):\n            for f in range(1, ${sides + 1}): n[t + f] += v\n        c = n\n    w = c[${target}]\nprint(w)`,
        `from fractions import Fraction\nprint(Fraction(w, ${sides ** dice}))`,
      ],
      `${dice} ${sides} ${target}`,
    );
  },
  system(random) {
    const [x, y, z] = [between(random, -20, 20), between(random, -20, 20), between(random, -20, 20)];
    let rows: number[][];
    do rows = Array.from({ length: 3 }, () => Array.from({ length: 3 }, () => between(random, -9, 9)));
    while (determinant(rows) === 0);
    const sums = rows.map(([a = 0, b = 0, c = 0]) => a * x + b * y + c * z);
    const lines = rows.map(([a, b, c], index) =>
      `${a}x + ${b}y + ${c}z = ${sums[index]}`.replaceAll("+ -", "- "),
    );
    const answer = x * x + y * z;
    const given = JSON.stringify(rows);
    const [m, s] = [
      `const m = ${given}, s = ${JSON.stringify(sums)};`,
      `m, s = ${given}, ${JSON.stringify(sums)}`,
    ];
    return toDraw(
      `${lines.join("; ")}. What is x*x + y*z?`,
      answer,
      [
        `${m}\nconst det = ([a, b, c]) => a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);\nconst v = [0, 1, 2].map((k) => det(m.map((r, i) => r.map((e, j) => (j === k ? s[i] : e)))) / det(m));\nprint(v.join(" "))`,
        "print(v[0] * v[0] + v[1] * v[2])",
      ],
      [
        `${s}\ndef det(r):\n    a, b, c = r\n    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])\nv = [det([[s[i] if j == k else e for j, e in enumerate(r)] for i, r in enumerate(m)]) // det(m) for k in range(3)]\nprint(*v)`,
        "print(v[0] * v[0] + v[1] * v[2])",
      ],
      `${given} ${x} ${y} ${z}`,
    );
  },
  calendar(random) {
    const start = new Date(Date.UTC(between(random, 1950, 2040), random.integer(12), between(random, 1, 28)));
    const [every, times] = [between(random, 17, 400), between(random, 20, 300)];
    const from = start.toISOString().slice(0, 10);
    const answer = new Date(start.getTime() + every * times * 86_400_000).toISOString().slice(0, 10);
    return toDraw(
      `Something happens on ${from} and then again every ${every} days. On what date does it happen for the ${times + 1}th time (YYYY-MM-DD)?`.replaceAll(
        /(\d+)th/g,
        (_, count: string) => ordinal(Number(count)),
      ),
      answer,
      [`print(new Date(Date.parse("${from}") + ${every} * ${times} * 864e5).toISOString().slice(0, 10))`],
      [
        `from datetime import date, timedelta\nprint(date.fromisoformat("${from}") + timedelta(days=${every} * ${times}))`,
      ],
      `${from} ${every} ${times}`,
    );
  },
  polygon(random) {
    const corners = drawTriangleFan(random);
    const points = JSON.stringify(corners);
    const [twice, edge] = measure(corners);
    return toDraw(
      `A polygon has the corners ${corners.map(([x, y]) => `(${x},${y})`).join(" ")} in this order. How many points with whole coordinates lie strictly inside?`,
      (twice - edge + 2) / 2,
      [
        `const p = ${points};\nlet twice = 0;\np.forEach(([x, y], i) => { const [u, v] = p[(i + 1) % p.length]; twice += x * v - u * y });\ntwice = Math.abs(twice);\nprint(twice / 2)`,
        "const gcd = (a, b) => (b ? gcd(b, a % b) : Math.abs(a));\nlet edge = 0;\np.forEach(([x, y], i) => { const [u, v] = p[(i + 1) % p.length]; edge += gcd(u - x, v - y) });\nprint((twice - edge + 2) / 2)",
      ],
      [
        `p = ${points}\nq = p[1:] + p[:1]\ntwice = abs(sum(x * v - u * y for (x, y), (u, v) in zip(p, q)))\nprint(twice / 2)`,
        "from math import gcd\nprint((twice - sum(gcd(u - x, v - y) for (x, y), (u, v) in zip(p, q)) + 2) // 2)",
      ],
      points,
    );
  },
};

function lowest(over: number, under: number): [number, number] {
  const common = greatestCommonDivisor(over, under);
  return [over / common, under / common];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
}

function determinant(rows: readonly (readonly number[])[]): number {
  const [[a, b, c], [d, e, f], [g, h, i]] = rows as [number[], number[], number[]] as unknown as [
    [number, number, number],
    [number, number, number],
    [number, number, number],
  ];
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

type Point = [number, number];

/** A corner in each quadrant around a point inside, so that the edges never cross. */
function drawTriangleFan(random: Random): Point[] {
  const [x, y] = [between(random, -20, 20), between(random, -20, 20)];
  const signs: Point[] = [
    [1, 1],
    [-1, 1],
    [-1, -1],
    [1, -1],
  ];
  return signs.map(([right, up]) => [x + right * between(random, 3, 40), y + up * between(random, 3, 40)]);
}

/** Twice the area, and the whole points on the edge (Pick: inside = area − edge/2 + 1). */
function measure(corners: readonly Point[]): [twice: number, edge: number] {
  let [twice, edge] = [0, 0];
  for (const [index, [x, y]] of corners.entries()) {
    const [u, v] = corners[(index + 1) % corners.length]!;
    twice += x * v - u * y;
    edge += greatestCommonDivisor(u - x, v - y);
  }
  return [Math.abs(twice), edge];
}

function ordinal(count: number): string {
  const tens = count % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${ending}`;
}
