import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 120_000,
    // sandboxes live by the clock, and a busy machine can make honest code late
    retry: 2,
    pool: "forks",
    // V8 keeps its list of code pages apart with keys of the processor, and now and then loses one when threads come
    // and go ("Check failed: jit_page.has_value()"), which takes the whole process with it
    execArgv: ["--no-memory-protection-keys"],
    maxWorkers: 2,
  },
});
