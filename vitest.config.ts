import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// The unit tests' workers, which are threads of this process, make much that soon is garbage: a fifth of their time on a
// processor went to collecting it in small pieces. And each file loads our modules anew: V8 spent another fifth on making
// the best of functions that are thrown away a second later, so it begins with that fifteen times later than it would.
for (const flag of ["--min-semi-space-size=16", "--max-semi-space-size=64", "--interrupt-budget=1000000"])
  setFlagsFromString(flag);

/** Hosts that stay up while traps are written: all files plant theirs on these. See CONTRIBUTING.md. */
const keptLab = process.env.MESHCTL_TRAPS_LAB;

/**
 * The traps take longest by far, and of the unit tests those that start programs: begun last, they would go on alone. To
 * start a program costs the more the larger the process is that starts it, and at the end that is three times as large.
 */
const LONGEST = [
  /\/test\/traps\/share-/,
  /\/test\/(?:package|reader\/(?:program|reader)|cli\/completion-in-shells|haproxy\/backend-policy)\.test\.ts$/,
  /\/test\/engine\/(?:provision|host-locks|hooks|first-(?:builds|packages)|world\/told-shell)\.test\.ts$/,
  /\/test\/(?:inventory\/source|remote\/(?:openssh-channel|ssh-config-sections)|steps\/watcher\/installer-programs)\.test\.ts$/,
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((name) => name.test(moduleId));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Build what is installed, and start it: no pure logic, so no unit tests, and no lab is needed. `npm test` runs both. */
const OF_THE_PACKAGE = ["test/package.test.ts", "test/cli/completion-in-shells.test.ts"];

/** One more than there are processors: some wait for programs and for time limits. */
const ofThisMachine = {
  pool: "threads" as const,
  maxWorkers: availableParallelism() + 1,
  isolate: false,
  setupFiles: ["test/fresh-modules.ts"],
  // The slowest unit test takes a tenth of it on a machine with ten times as much to do as it can.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // Lab hosts wait more than they compute, and the smallest machine this runs on has two cores.
    maxWorkers: keptLab === undefined ? 2 : 1,
    sequence: { sequencer: LongestFirst },
    // A file that has not changed is not compiled again: Vitest keeps by content what it compiled.
    experimental: { fsModuleCache: true },
    projects: [
      {
        test: {
          name: "unit",
          ...ofThisMachine,
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/lab/**", "test/traps/share-*.test.ts", ...OF_THE_PACKAGE],
        },
      },
      {
        test: { name: "package", ...ofThisMachine, include: OF_THE_PACKAGE },
      },
      {
        test: {
          name: "e2e",
          // Behind the unit tests, which have other workers.
          setupFiles: ["test/e2e/end-runs.ts"],
          sequence: { groupOrder: 1 },
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
          sequence: { groupOrder: 1 },
          include: ["test/traps/share-*.test.ts"],
          // Each begins on a converged host and leaves one, so that it may be planted again. The reporter names those that
          // needed it: a fault to be found.
          retry: 1,
          testTimeout: 600_000,
          // Hosts may have to be made of bare ones; what that runs has limits of its own.
          hookTimeout: 1_200_000,
        },
      },
    ],
  },
});
