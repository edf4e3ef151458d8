import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Hosts that stay up while traps are written: all files plant theirs on these. See CONTRIBUTING.md. */
const keptLab = process.env.MESHCTL_TRAPS_LAB;

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
    maxWorkers: keptLab === undefined ? 2 : 1,
    sequence: { sequencer: TrapsFirst },
    projects: [
      {
        test: {
          name: "unit",
          // The slowest test takes a tenth of it on a machine with ten times as much to do as it can.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: "threads",
          isolate: false,
          setupFiles: ["test/fresh-modules.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/lab/**", "test/traps/share-*.test.ts"],
        },
      },
      {
        test: {
          name: "e2e",
          setupFiles: ["test/e2e/end-runs.ts"],
          include: ["test/e2e/**/*.test.ts", "test/lab/**/*.test.ts"],
          testTimeout: 600_000,
          // Hosts may have to be made of bare ones; what that runs has limits of its own.
          hookTimeout: 1_200_000,
        },
      },
      {
        test: {
          name: "traps",
          setupFiles: ["test/e2e/end-runs.ts"],
          include: ["test/traps/share-*.test.ts"],
          testTimeout: 600_000,
          // Hosts may have to be made of bare ones; what that runs has limits of its own.
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
