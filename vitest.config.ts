import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The traps take longest by far: begun last, they would go on alone. */
class TrapsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isTraps = ({ project }: TestSpecification) => project.name === "traps";
    const sorted = await super.sort(files);
    return [...sorted.filter(isTraps), ...sorted.filter((file) => !isTraps(file))];
  }
}

export default defineConfig({
  test: {
    // Lab hosts wait more than they compute, and the smallest machine this runs on has two cores.
    maxWorkers: 2,
    sequence: { sequencer: TrapsFirst },
    projects: [
      {
        test: {
          name: "unit",
          pool: "threads",
          isolate: false,
          setupFiles: ["test/fresh-modules.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/lab/**", "test/traps/traps.test.ts"],
        },
      },
      {
        test: {
          name: "e2e",
          setupFiles: ["test/e2e/end-runs.ts"],
          include: ["test/e2e/**/*.test.ts", "test/lab/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "traps",
          setupFiles: ["test/e2e/end-runs.ts"],
          include: ["test/traps/traps.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
