import { describe, expect, it } from "vitest";
import { ToolError } from "../../spec/tool.ts";
import { createShell } from "./shell.ts";

const { signal } = new AbortController();
const tree = { "notes/alpha.cfg": "123", "notes/beta.cfg": "see logs/gamma.txt", "logs/gamma.txt": "456" };
const open = () => createShell(tree);

describe("a shell", () => {
  it("lists, reads and writes", async () => {
    const shell = open();
    expect(await shell.run("ls notes", { signal })).toBe("alpha.cfg\nbeta.cfg");
    expect(await shell.run("cat notes/alpha.cfg", { signal })).toBe("123");
    expect(await shell.run("echo 77 > notes/alpha.cfg", { signal })).toBe("ok");
    expect(await shell.tree()).toEqual({ ...tree, "notes/alpha.cfg": "77" });
  });

  it("is a whole bash: pipes, loops, sed, find", async () => {
    const shell = open();
    expect(await shell.run("find . -name '*.cfg' | sort | head -1", { signal })).toBe("./notes/alpha.cfg");
    expect(await shell.run("for f in notes/*; do wc -c < $f; done | sort -n | head -1", { signal })).toBe(
      "4",
    );
    await shell.run("sed -i s/1/9/ notes/alpha.cfg && mv logs/gamma.txt . && rm -r logs", { signal });
    expect(await shell.tree()).toEqual({
      "gamma.txt": "456",
      "notes/alpha.cfg": "923",
      "notes/beta.cfg": "see logs/gamma.txt",
    });
  });

  it("starts every command at home and shares nothing with another shell", async () => {
    const [one, other] = [open(), open()];
    await one.run("cd notes && rm alpha.cfg", { signal });
    expect(await one.run("ls", { signal })).toBe("logs\nnotes");
    expect(await other.tree()).toEqual(tree);
  });

  it("knows its tree without having run anything", async () => {
    expect(await open().tree()).toEqual(tree);
  });

  it.each([
    ["cat notes/none.cfg", /No such file/],
    ["ls 'notes", /unexpected EOF/],
    ["paint it black", /command not found/],
    ["cat notes/alpha.cfg; false", /^123$/],
    ["exit 3", /^exit code 3$/],
    ["curl http://localhost", /command not found/],
    ["while true; do :; done", /too many commands/],
    ["f() { f; }; f", /recursion/],
    ["awk 'BEGIN { while (1) {} }'", /iterations/],
    ["for i in $(seq 400); do printf '%01000d' 1; done", /^bash: .*output size exceeded/],
    [
      "printf '%060000d' 1 > a; for i in $(seq 12); do cat a >> b; cp b c$i; done; ls | wc -l",
      /space|limit|size/i,
    ],
  ])("fails as the caller's mistake, with a reason: %s", async (command, reason) => {
    const failure = await open()
      .run(command, { signal })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ToolError);
    expect((failure as Error).message).toMatch(reason);
  });

  it("does not wait where it is asked to sleep", async () => {
    const since = performance.now();
    expect(await open().run("sleep 3600; echo awake", { signal })).toBe("awake");
    expect(performance.now() - since).toBeLessThan(5000);
  });

  it("stops when it is told to, which is not the caller's mistake", async () => {
    const stop = new AbortController();
    const running = open().run("for i in $(seq 300); do sleep 1; done", { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });
});
