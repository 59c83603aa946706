import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 120_000,
    // sandboxes live by the clock, and a busy machine can make honest code late
    retry: 2,
    pool: "forks",
    maxWorkers: 2,
  },
});
