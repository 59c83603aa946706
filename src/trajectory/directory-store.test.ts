import { spawn } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRandom } from "../kit/random.ts";
import { AttuneError } from "../spec/error.ts";
import type { Trajectory } from "../spec/trajectory.ts";
import { branchedTrajectory, conversation, observed, said } from "../testing/trajectories.ts";
import { openStore, type TrajectoryStore } from "./directory-store.ts";
import type { TrajectoryFilter } from "./heading.ts";
import { appendTrajectories, readTrajectories } from "./store.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "attune-directory-store-"));

/** A trajectory of its own for each number: other tokens, another length. */
function numbered(number: number, fields: Partial<Trajectory> = {}): Trajectory {
  const nodes = [observed(number, 1), said([number, number + 1, 70_000], [-0.1, -1 / 3, -number])];
  return { ...conversation({ id: `t${number}`, reward: number, nodes }), step: number, ...fields };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const ids = async (store: TrajectoryStore, filter?: TrajectoryFilter) =>
  (await all(store.scan(filter))).map(({ id }) => id);

/** A folder with so many trajectories in one series, and its closed store's files. */
async function written(count: number, options: { segmentBytes?: number } = {}) {
  const folder = scratch();
  const store = openStore(folder, options);
  for (let number = 0; number < count; number++) await store.append([numbered(number)], { series: "rl" });
  await store.close();
  return { folder, file: (name: string) => join(folder, name) };
}

describe("a store of trajectories", () => {
  it("gives back exactly what was appended, arrays, branches and absent fields included", async () => {
    const folder = join(scratch(), "deep");
    const store = openStore(folder);
    const given = [
      branchedTrajectory({ id: "branched", reward: null }),
      conversation({ id: "expert", reward: 1, nodes: [observed(1), said([2], null)] }),
      conversation({ id: "empty", reward: 0, nodes: [] }),
    ];
    await store.append(given);
    expect(await all(store.trajectories())).toEqual(given);
    expect(await store.read("expert")).toEqual(given[1]);
    await store.close();
    expect(await all(openStore(folder).trajectories())).toEqual(given);
  });

  it("keeps the order of appends that are under way at once", async () => {
    const { folder } = await written(0);
    const store = openStore(folder, { segmentBytes: 4000 });
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    await Promise.all(numbers.map((number) => store.append([numbered(number)])));
    const found = await all(store.trajectories());
    expect(found).toEqual(numbers.map((number) => numbered(number)));
    expect(readdirSync(folder)).toContain("trajectories~2.jsonl");
    await store.close();
  });

  it("says in a heading what can be asked without reading more", async () => {
    const store = openStore(scratch());
    await store.append([branchedTrajectory({ id: "b", reward: 0.5, environment: "shop", task: "x" })]);
    expect(await all(store.scan())).toEqual([
      {
        id: "b",
        player: "policy",
        group: "group",
        sample: 0,
        attempt: 0,
        step: 0,
        environment: "shop",
        kind: "any",
        task: "x",
        status: "completed",
        reward: 0.5,
        turns: 0,
        sampledTokens: 4,
        tools: [],
        series: "trajectories",
        segment: 1,
        at: 0,
        length: expect.any(Number) as number,
      },
    ]);
    await store.close();
  });

  it("finds by series, environment, status, reward, tool, step and text", async () => {
    const store = openStore(scratch());
    const message = { role: "assistant" as const, content: 'say "é\n"' };
    const [node] = numbered(0).nodes;
    const call = { turn: 0, id: "c", name: "shell", arguments: {}, failure: null, latencyMs: 0 };
    await store.append([
      numbered(0, { status: "timeout", reward: null }),
      numbered(1, { calls: [{ ...call, observation: "a kettle" }] }),
      numbered(2, { nodes: [{ ...node!, message }] }),
      numbered(3, { task: { ...numbered(3).task, environment: "web" } }),
    ]);
    await store.append([numbered(4)], { series: "eval-rl" });
    const cases: [TrajectoryFilter, string[]][] = [
      [{}, ["t4", "t0", "t1", "t2", "t3"]],
      [{ series: "eval-rl" }, ["t4"]],
      [{ series: ["trajectories", "nothing"], step: { first: 2 } }, ["t2", "t3"]],
      [{ environment: "web" }, ["t3"]],
      [{ environment: ["web", "test"], step: { last: 1 } }, ["t0", "t1"]],
      [{ status: "timeout" }, ["t0"]],
      [{ status: ["completed", "timeout"], step: 0 }, ["t0"]],
      [{ reward: { least: 2, most: 3 } }, ["t2", "t3"]],
      [{ reward: { most: 1 } }, ["t1"]],
      [{ tool: "shell" }, ["t1"]],
      [{ text: 'y "é\n' }, ["t2"]],
      [{ text: "kettle" }, ["t1"]],
      [{ text: "completed" }, []],
      [{ id: "t3" }, ["t3"]],
      [{ id: "t3", group: "group", task: "task", player: "policy" }, ["t3"]],
      [{ group: "grou" }, []],
    ];
    for (const [filter, expected] of cases)
      expect(await ids(store, filter), JSON.stringify(filter)).toEqual(expected);
    await store.close();
  });

  it("scans without its token arrays and without its index", async () => {
    const { folder, file } = await written(3);
    rmSync(file("rl.tokens"));
    expect(await ids(openStore(folder))).toEqual(["t0", "t1", "t2"]);
    rmSync(file("rl.index"));
    expect(await ids(openStore(folder), { id: "t1" })).toEqual(["t1"]);
    expect(readdirSync(folder)).not.toContain("rl.index");
    await expect(openStore(folder).read("t1")).rejects.toThrow(/rl.jsonl, byte \d+: its tokens .* missing/);
  });

  it("goes on where it stopped, over several segments", async () => {
    const { folder, file } = await written(10, { segmentBytes: 2000 });
    const store = openStore(folder, { segmentBytes: 2000 });
    await store.append([numbered(10)], { series: "rl" });
    expect((await ids(store)).join()).toBe(Array.from({ length: 11 }, (_, n) => `t${n}`).join());
    expect(statSync(file("rl~2.jsonl")).size).toBeGreaterThan(2000);
    expect(store.repairs).toEqual([]);
    await store.close();
  });

  it("refuses an id it does not have, a series that is no file name, and use after its end", async () => {
    const store = openStore(scratch());
    await expect(store.read("nobody")).rejects.toThrow('expected a trajectory "nobody", got none');
    for (const series of ["../up", ".hidden", "a/b", "rl~2", ""])
      await expect(store.append([numbered(1)], { series })).rejects.toThrow(`series "${series}"`);
    await store.close();
    await expect(store.append([numbered(1)])).rejects.toThrow("this store is closed");
  });

  it("refuses a trajectory that is not JSON, and keeps those around it", async () => {
    const store = openStore(scratch());
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const results = await Promise.allSettled([
      store.append([numbered(0)]),
      store.append([numbered(1, { outcome: circular as never })]),
      store.append([numbered(2)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await all(store.trajectories())).toEqual([numbered(0), numbered(2)]);
    await store.close();
  });
});

describe("after a crash, a store", () => {
  /** What a crash leaves, done to the files; `left` are the trajectories that must still be there. */
  const crashes: [string, (file: (name: string) => string) => void, number, RegExp[]][] = [
    ["a torn line", (file) => appendFileSync(file("rl.jsonl"), '{"format":1,"id"'), 3, [/cut 16 bytes/]],
    ["arrays without a line", (file) => appendFileSync(file("rl.tokens"), "12345678"), 3, []],
    [
      "a line without its arrays",
      (file) => truncateSync(file("rl.tokens"), 90),
      2,
      [/moved 1 last lines to .*rl.torn/],
    ],
    [
      "arrays of zeros",
      (file) => {
        const bytes = readFileSync(file("rl.tokens"));
        writeFileSync(file("rl.tokens"), bytes.fill(0, bytes.length - 12));
      },
      2,
      [/moved 1 last lines to .*rl.torn/],
    ],
    ["no index", (file) => rmSync(file("rl.index")), 3, []],
    ["an empty index", (file) => truncateSync(file("rl.index"), 0), 3, []],
    ["a torn index", (file) => truncateSync(file("rl.index"), 60), 3, []],
    ["an index of another version", (file) => writeFileSync(file("rl.index"), '["attune-index",9]\n'), 3, []],
    ["garbage in the index", (file) => appendFileSync(file("rl.index"), "[[\n"), 3, []],
    ["an index that knows too much", (file) => appendFileSync(file("rl.index"), "[99999,1]\n"), 3, []],
    [
      "a segment that was only begun",
      (file) => writeFileSync(file("rl~2.jsonl"), '{"fo'),
      3,
      [/cut 4 bytes/],
    ],
  ];
  it.each(crashes)("with %s is repaired, and takes the next trajectory", async (_, crash, left, notes) => {
    const { folder, file } = await written(3);
    crash(file);
    const expected = Array.from({ length: left }, (_each, number) => numbered(number));
    const store = openStore(folder);
    await store.append([numbered(7)], { series: "rl" });
    expect(await all(store.trajectories())).toEqual([...expected, numbered(7)]);
    expect(store.repairs).toHaveLength(notes.length);
    for (const note of notes) expect(store.repairs.join("\n")).toMatch(note);
    await store.close();
    // and nothing is left to repair
    const again = openStore(folder);
    await again.append([numbered(8)], { series: "rl" });
    expect(await all(again.trajectories())).toEqual([...expected, numbered(7), numbered(8)]);
    expect(again.repairs).toEqual([]);
    await again.close();
  });

  it.each([0, 1, 2, 3])(
    "cut off anywhere in its last bytes keeps what was whole (file %i)",
    async (which) => {
      const { folder, file } = await written(2);
      const name = ["rl.jsonl", "rl.tokens", "rl.index", "rl.jsonl"][which]!;
      const { size } = statSync(file(name));
      const length = Math.floor(size / 2);
      for (let lost = 1; lost < length; lost += 7) {
        const copy = scratch();
        for (const each of readdirSync(folder)) copyFileSync(file(each), join(copy, each));
        truncateSync(join(copy, name), size - lost);
        if (which === 3) truncateSync(join(copy, "rl.tokens"), statSync(join(copy, "rl.tokens")).size - 1);
        const store = openStore(copy);
        await store.append([numbered(9)], { series: "rl" });
        const found = await all(store.trajectories());
        expect(found.slice(-1)).toEqual([numbered(9)]);
        expect(found[0]).toEqual(numbered(0));
        await store.close();
      }
    },
  );

  it("goes on without its arrays, and keeps the words of what they belonged to", async () => {
    for (const lose of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 0)]) {
      const { folder, file } = await written(3);
      const lines = readFileSync(file("rl.jsonl"), "utf8");
      lose(file("rl.tokens"));
      const store = openStore(folder);
      await store.append([numbered(4)], { series: "rl" });
      expect(await all(store.trajectories())).toEqual([numbered(4)]);
      expect(store.repairs.join()).toMatch(/moved 3 last lines/);
      expect(readFileSync(file("rl.torn"), "utf8")).toBe(lines);
      await store.close();
    }
  });

  it("keeps the first so many trajectories, whole, whatever a power cut left of its files", async () => {
    const { folder, file } = await written(6);
    const random = createRandom(5);
    for (let round = 0; round < 60; round++) {
      const copy = scratch();
      for (const name of readdirSync(folder)) {
        const bytes = readFileSync(file(name));
        // cut off anywhere, and sometimes zeros in the place of what was not written
        const length = random.integer(bytes.length + 1);
        writeFileSync(
          join(copy, name),
          bytes.fill(0, random.integer(3) === 0 ? random.integer(length + 1) : length).subarray(0, length),
        );
      }
      const store = openStore(copy);
      await store.append([numbered(9)], { series: "rl" });
      const found = await all(store.trajectories());
      expect(found).toEqual([
        ...Array.from({ length: found.length - 1 }, (_, number) => numbered(number)),
        numbered(9),
      ]);
      await store.close();
      rmSync(copy, { recursive: true });
    }
  });

  it("names the place of a line in the middle that is not JSON, or of a newer format", async () => {
    const { folder, file } = await written(3);
    rmSync(file("rl.index"));
    const lines = readFileSync(file("rl.jsonl"), "utf8");
    writeFileSync(file("rl.jsonl"), lines.replace('{"format":1,"id":"t1"', '{"format":2,"id":"t1"'));
    await expect(ids(openStore(folder))).rejects.toThrow(/rl.jsonl, byte \d+: format: expected 1, got 2/);
    writeFileSync(file("rl.jsonl"), lines.replace('{"format":1,"id":"t1"', '["format":1,"id":"t1"'));
    await expect(ids(openStore(folder))).rejects.toThrow(/rl.jsonl, byte \d+: not JSON/);
    await expect(ids(openStore(folder))).rejects.toThrow(AttuneError);
  });

  it("has every trajectory that an append came back for, when its process was killed", async () => {
    const folder = scratch();
    const source = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, "directory-store.ts"))};
      import { conversation, observed, said } from ${JSON.stringify(join(import.meta.dirname, "../testing/trajectories.ts"))};
      const store = openStore(${JSON.stringify(folder)}, { segmentBytes: 20_000 });
      for (let number = 0; ; number++) {
        const nodes = [observed(number), said([number, 5])];
        await store.append([conversation({ id: "t" + number, reward: 1, nodes })]);
        process.stdout.write(number + "\\n");
      }`;
    for (let round = 0; round < 3; round++) {
      rmSync(folder, { recursive: true, force: true });
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", source]);
      let output = "";
      let error = "";
      child.stderr.on("data", (data: Buffer) => {
        error += data.toString();
      });
      const exited = new Promise((resolve) => child.on("exit", resolve));
      await new Promise<void>((resolve, reject) => {
        child.on("exit", () => reject(new Error(error)));
        child.stdout.on("data", (data: Buffer) => {
          output += data.toString();
          if (output.split("\n").length > 60 + 40 * round) resolve();
        });
      });
      child.kill("SIGKILL");
      await exited;
      const confirmed = Number(output.trimEnd().split("\n").at(-1));
      const store = openStore(folder);
      await store.append([numbered(1)]);
      const found = await all(store.trajectories());
      expect(found.length).toBeGreaterThan(confirmed + 1);
      for (const [number, each] of found.slice(0, -1).entries())
        expect([each.id, ...each.nodes[1]!.tokens]).toEqual([`t${number}`, number, 5]);
      await store.close();
    }
  });
});

describe.skipIf(process.platform === "win32")("on a disk that is full, a store", () => {
  it("says so, and keeps what it had without a torn line", async () => {
    const folder = scratch();
    const source = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, "directory-store.ts"))};
      import { conversation, observed, said } from ${JSON.stringify(join(import.meta.dirname, "../testing/trajectories.ts"))};
      const store = openStore(${JSON.stringify(folder)});
      let kept = 0;
      try {
        for (; ; kept++) {
          const nodes = [observed(kept), said([kept, 5])];
          await store.append([conversation({ id: "t" + kept, reward: 1, nodes })]);
        }
      } catch (error) {
        process.stdout.write(JSON.stringify({ kept, code: error.code }));
      }
      await store.close();`;
    // a limit on the length of a file is what a full disk is to the one who writes
    const child = spawn("bash", [
      "-c",
      `trap '' XFSZ; ulimit -f 16; exec "$0" --input-type=module-typescript -e "$1"`,
      process.execPath,
      source,
    ]);
    let output = "";
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    await new Promise((resolve) => child.on("exit", resolve));
    const { kept, code } = JSON.parse(output) as { kept: number; code: string };
    expect(code).toBe("EFBIG");
    expect(kept).toBeGreaterThan(5);
    const store = openStore(folder);
    await store.append([numbered(9)]);
    expect(store.repairs).toEqual([]);
    expect(await all(store.scan())).toHaveLength(kept + 1);
    await store.close();
  });
});

describe("changes of a store", () => {
  it("are one writer's at a time, in this process and in another; readers need no lock", async () => {
    const { folder } = await written(1);
    const first = openStore(folder);
    await first.append([numbered(1)], { series: "rl" });
    const second = openStore(folder);
    await expect(second.append([numbered(2)], { series: "rl" })).rejects.toThrow(
      "expected to be the only writer",
    );
    expect(await ids(second)).toEqual(["t0", "t1"]);
    await first.close();
    await second.append([numbered(2)], { series: "rl" });
    await second.close();
  });

  it("cut a series at the first that is not to be kept, over its segments", async () => {
    const { folder } = await written(10, { segmentBytes: 2000 });
    const store = openStore(folder, { segmentBytes: 2000 });
    await store.cut("rl", ({ step }) => step < 4);
    expect(await ids(store)).toEqual(["t0", "t1", "t2", "t3"]);
    await store.append([numbered(20)], { series: "rl" });
    await store.cut("rl", () => true);
    await store.cut("nothing", () => false);
    expect(await all(store.trajectories({ step: { first: 3 } }))).toEqual([numbered(3), numbered(20)]);
    await store.remove("rl");
    expect(await ids(store)).toEqual([]);
    await store.append([numbered(5)], { series: "rl" });
    expect(await ids(store)).toEqual(["t5"]);
    await store.close();
  });

  it("compact to full segments of what is to be kept, and old single files come along", async () => {
    const { folder, file } = await written(12, { segmentBytes: 1 });
    await appendTrajectories(file("old.jsonl"), [numbered(50), numbered(51)]);
    const store = openStore(folder);
    expect(await store.read("t51")).toEqual(numbered(51));
    expect(await store.compact({ keep: ({ step }) => step % 2 === 0 })).toEqual({ kept: 7, dropped: 7 });
    const expected = [50, 0, 2, 4, 6, 8, 10].map((number) => numbered(number));
    expect(await all(store.trajectories())).toEqual(expected);
    expect(readdirSync(folder).sort()).toEqual(
      ["old.index", "old.jsonl", "old.tokens", "rl.index", "rl.jsonl", "rl.tokens", "store.lock"].sort(),
    );
    await store.append([numbered(60)], { series: "rl" });
    await store.close();
    expect(await all(openStore(folder).trajectories())).toEqual([...expected, numbered(60)]);
  });

  it("are noticed by who comes with a heading from before them", async () => {
    const { folder } = await written(3);
    const store = openStore(folder);
    const headings = await all(store.scan());
    await store.compact({ keep: ({ step }) => step > 0 });
    await expect(store.read(headings[0]!)).rejects.toThrow('expected trajectory "t0", got "t1"');
    await store.close();
  });

  it("are finished by the next reader when a crash stopped them between two files", async () => {
    const { folder, file } = await written(6, { segmentBytes: 1 });
    const other = openStore(file(".compacting"));
    await other.append([numbered(1), numbered(2)], { series: "rl" });
    await other.close();
    writeFileSync(file("replacement.json"), JSON.stringify({ series: "rl", count: 1 }));
    rmSync(file("rl~6.jsonl"));
    renameSync(file(".compacting/rl.tokens"), file("rl.tokens"));
    expect(await all(openStore(folder).trajectories())).toEqual([numbered(1), numbered(2)]);
    expect(readdirSync(folder)).not.toContain("rl~2.jsonl");
  });

  it("forget what a compaction had begun when a crash stopped it before its end", async () => {
    const { folder, file } = await written(2);
    mkdirSync(file(".compacting"));
    writeFileSync(file(".compacting/rl.jsonl"), "half");
    const store = openStore(folder);
    expect(await store.compact()).toEqual({ kept: 2, dropped: 0 });
    expect(await ids(store)).toEqual(["t0", "t1"]);
    await store.close();
  });

  it("write the index anew, the same as it was", async () => {
    const { folder, file } = await written(5);
    const before = readFileSync(file("rl.index"), "utf8");
    writeFileSync(file("rl.index"), "");
    const store = openStore(folder);
    await store.rebuildIndex();
    expect(readFileSync(file("rl.index"), "utf8")).toBe(before);
    await store.close();
  });

  it("leave segments that a single file's reader can read", async () => {
    const { file } = await written(2);
    expect(await all(readTrajectories(file("rl.jsonl")))).toEqual([numbered(0), numbered(1)]);
    rmSync(file("rl.tokens"));
    await expect(all(readTrajectories(file("rl.jsonl")))).rejects.toThrow(
      "rl.jsonl:1: expected its tokens in",
    );
  });
});
