import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  Sandbox,
  SandboxDriver,
  SandboxError,
  SandboxFailureKind,
  SandboxLanguage,
} from "../spec/sandbox.ts";

/** A program that tries to get out or to use everything up, and how that must end. */
export type EscapeAttempt = {
  name: string;
  code: string;
  /**
   * `error`: the program itself fails, since what it asks for is not there. `harmless`: it may even succeed, but what it
   * prints must match `prints`. Otherwise a `SandboxError` of one of these kinds.
   */
  ends: "error" | "harmless" | readonly SandboxFailureKind[];
  prints?: RegExp;
};

type Programs = {
  two: string;
  fails: string;
  keeps: [set: string, get: string];
  loop: string;
  flood: string;
  slow: string;
};

/** The least that is said in each language. `keeps` prints "kept". */
const programs: Record<SandboxLanguage, Programs> = {
  shell: {
    two: "echo $((1 + 1))",
    fails: "cat missing",
    keeps: ["echo kept > note", "cat note"],
    loop: "while true; do :; done",
    flood: "while true; do echo 'a long line that is printed again and again'; done",
    slow: "i=0; while [ $i -lt 500 ]; do i=$((i + 1)); done; echo done",
  },
  javascript: {
    two: "1 + 1",
    fails: "missing()",
    keeps: ["globalThis.note = 'kept'; undefined", "note"],
    loop: "for (;;) {}",
    flood: "for (;;) print('a long line that is printed again and again')",
    slow: "let i = 0; while (i < 1e5) i++; 'done'",
  },
  python: {
    two: "1 + 1",
    fails: "missing()",
    keeps: ["note = 'kept'", "print(note)"],
    loop: "while True:\n    pass",
    flood: "while True:\n    print('a long line that is printed again and again')",
    slow: "for i in range(100_000):\n    pass\nprint('done')",
  },
};

/**
 * What every driver of a sandbox must keep, as tests: call it in a test file of your own. After every attempt the same
 * sandbox must go on with what it had, and one beside it must not have noticed.
 */
export function sandboxContract(
  name: string,
  make: () => SandboxDriver | Promise<SandboxDriver>,
  { attempts = [] }: { attempts?: readonly EscapeAttempt[] } = {},
): void {
  describe(`sandbox contract: ${name}`, () => {
    let driver: SandboxDriver;
    let program: Programs;
    beforeAll(async () => {
      driver = await make();
      program = programs[driver.language];
    }, 60_000);
    afterAll(() => driver?.close());

    const using = async (work: (sandbox: Sandbox) => Promise<void>, files: Record<string, string> = {}) => {
      const sandbox = driver.open({ files });
      try {
        await work(sandbox);
      } finally {
        await sandbox.close();
      }
    };
    const failureOf = (run: Promise<unknown>): Promise<SandboxError> =>
      run.then(
        (value) => expect.unreachable(`expected a failure, got ${JSON.stringify(value)}`),
        (error: SandboxError) => {
          expect(error).toMatchObject({ name: "SandboxError" });
          expect(error.message).not.toBe("");
          return error;
        },
      );

    it("declares its limits, of which the network is none", () => {
      const { network, ...numbers } = driver.limits;
      expect(network).toBe(false);
      expect(Object.keys(numbers).sort()).toEqual(["memoryBytes", "outputCharacters", "processes", "timeMs"]);
      for (const value of Object.values(numbers)) expect(value).toBeGreaterThan(0);
    });

    it("runs, keeps its state, and says where a program failed", () =>
      using(async (sandbox) => {
        expect(await sandbox.exec(program.two)).toEqual({ output: "2", error: null });
        expect((await sandbox.exec(program.keeps[0])).error).toBeNull();
        const failed = await sandbox.exec(program.fails);
        expect(failed.error).toMatch(/missing/);
        expect(await sandbox.exec(program.keeps[1])).toEqual({ output: "kept", error: null });
      }));

    it("shares nothing with the sandbox beside it", () =>
      using(async (sandbox) => {
        await sandbox.exec(program.keeps[0]);
        await using(async (other) => {
          expect((await other.exec(program.keeps[1])).error).not.toBeNull();
        });
      }));

    it("says the same when the same is done again", async () => {
      const said: unknown[] = [];
      for (let round = 0; round < 2; round++)
        await using(async (sandbox) => {
          for (const code of [program.two, program.fails, ...program.keeps, program.slow])
            said.push(await sandbox.exec(code));
        });
      expect(said.slice(0, said.length / 2)).toEqual(said.slice(said.length / 2));
    });

    it("takes files in and out, and only its own", () =>
      using(
        async (sandbox) => {
          expect(await sandbox.read("in/given.txt")).toBe("given\n");
          await sandbox.write("out/néw.txt", "it's new\n");
          expect(await sandbox.read("./out/néw.txt")).toBe("it's new\n");
          for (const path of ["nowhere", "../../etc/passwd", "/etc/passwd", "", "a\0b"])
            expect((await failureOf(sandbox.read(path))).kind).toBe("denied");
          expect((await failureOf(sandbox.write("../out", "x"))).kind).toBe("denied");
          expect((await failureOf(sandbox.write("big", "x".repeat(2 ** 21)))).kind).toBe("denied");
        },
        { "in/given.txt": "given\n" },
      ));

    it("comes back from a snapshot that was in a file", () =>
      using(async (sandbox) => {
        await sandbox.exec(program.keeps[0]);
        await sandbox.write("file.txt", "text");
        const snapshot = JSON.parse(JSON.stringify(await sandbox.snapshot()));
        const restored = driver.open({ snapshot });
        try {
          expect(await restored.exec(program.keeps[1])).toEqual({ output: "kept", error: null });
          expect(await restored.read("file.txt")).toBe("text");
        } finally {
          await restored.close();
        }
      }));

    it("ends an endless loop and endless output, and goes on with what it had", () =>
      using(async (sandbox) => {
        await sandbox.exec(program.keeps[0]);
        expect((await failureOf(sandbox.exec(program.loop))).kind).toBe("timeout");
        const flooded = await failureOf(sandbox.exec(program.flood));
        expect(["output", "timeout"]).toContain(flooded.kind);
        expect(flooded.output.length).toBeLessThanOrEqual(driver.limits.outputCharacters);
        expect(await sandbox.exec(program.keeps[1])).toEqual({ output: "kept", error: null });
      }));

    it("takes calls one after the other, and many sandboxes at once", async () => {
      const sandboxes = Array.from({ length: 6 }, () => driver.open());
      const results = await Promise.all(
        sandboxes.map(async (sandbox) => {
          const [, kept] = await Promise.all(program.keeps.map((code) => sandbox.exec(code)));
          await sandbox.close();
          return kept!.output;
        }),
      );
      expect(results).toEqual(results.map(() => "kept"));
    });

    it("stops when it is told to, and refuses once it is closed", () =>
      using(async (sandbox) => {
        const aborted = AbortSignal.abort(new Error("enough"));
        await expect(sandbox.exec(program.two, { signal: aborted })).rejects.toThrow("enough");
        expect((await sandbox.exec(program.two)).output).toBe("2");
        const midway = new AbortController();
        const running = sandbox.exec(program.loop, { signal: midway.signal });
        setTimeout(() => midway.abort(new Error("enough")), 50);
        await expect(running).rejects.toThrow();
        expect((await sandbox.exec(program.two)).output).toBe("2");
        await sandbox.close();
        await sandbox.close();
        expect((await failureOf(sandbox.exec(program.two))).kind).toBe("crashed");
        expect((await failureOf(sandbox.read("note"))).kind).toBe("crashed");
      }));

    describe.runIf(attempts.length > 0)("lets nothing out", () => {
      let bystander: Sandbox;
      beforeAll(async () => {
        bystander = driver.open();
        await bystander.exec(program.keeps[0]);
      });
      afterAll(() => bystander?.close());

      it.each(attempts.map((attempt) => [attempt.name, attempt] as const))("%s", async (_name, attempt) => {
        await using(async (sandbox) => {
          await sandbox.exec(program.keeps[0]);
          if (typeof attempt.ends === "string") {
            const { output, error } = await sandbox.exec(attempt.code);
            if (attempt.ends === "error") expect(error, `it printed ${output}`).not.toBeNull();
            expect(output).toMatch(attempt.prints ?? /^$/);
          } else expect(attempt.ends).toContain((await failureOf(sandbox.exec(attempt.code))).kind);
          expect(await sandbox.exec(program.keeps[1])).toEqual({ output: "kept", error: null });
        });
        expect(await bystander.exec(program.keeps[1])).toEqual({ output: "kept", error: null });
      });
    });
  });
}
