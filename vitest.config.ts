import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          pool: "threads",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/lab/**"],
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/lab/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // The lab's hosts share two cores: one file at a time.
          fileParallelism: false,
        },
      },
    ],
  },
});
