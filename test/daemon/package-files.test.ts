import { expect, it } from "vitest";
import type { SurroundingsFacts } from "../../src/daemon/look-at-surroundings.ts";
import { packageFaults } from "../../src/daemon/package-files.ts";
import type { AlteredFile } from "../../src/reader/reader.ts";

const STARTED = 1000;
const FILE: AlteredFile = {
  ...{ path: "/usr/lib/x/y.so", package: "x", is: "altered" },
  ...{ mode: "0644", owner: "root:root", size: 10, changed: 900 },
};

function faults(
  file: Partial<AlteredFile>,
  { user = "someone", group = "", unread = 0, isRunning = true } = {},
) {
  const facts: SurroundingsFacts = {
    unitName: "x.service",
    unit: { is: "value", value: new Map([["Group", [group]]]) },
    user,
    needs: { access: [], places: [] },
    access: { is: "value", value: [] },
    places: new Map(),
    mountUnits: new Map(),
    made: new Map(),
    cleans: new Map(),
    tmpfiles: undefined,
    room: new Map(),
    packages: { is: "value", value: { unread, files: [{ ...FILE, ...file }] } },
    becomes: new Map(),
  };
  const { refusals, warnings } = packageFaults(facts, isRunning ? STARTED : undefined);
  return { refused: refusals.map(({ because }) => because), warnings };
}

const AGAIN = "apt-get install --reinstall x brings it back";

it.each<[string, Partial<AlteredFile>, string]>([
  ["is gone", { is: "absent" }, `/usr/lib/x/y.so is not there, what x brought: ${AGAIN}`],
  ["was emptied", { size: 0 }, `/usr/lib/x/y.so is empty, and not what x brought: ${AGAIN}`],
  [
    "was replaced since the start",
    { changed: 1001 },
    `/usr/lib/x/y.so is not what x brought, and x.service has not been started with it yet: ${AGAIN} (where dpkg-divert --list names it, dpkg-divert --remove does), or restart x.service to see`,
  ],
  [
    "is closed to the service's user",
    { is: "closed", mode: "0640" },
    "someone may not read /usr/lib/x/y.so (root:root 0640): chmod a+rX /usr/lib/x/y.so",
  ],
])("a file of a package that %s keeps the service from its next start", (_, file, because) => {
  expect(faults(file)).toEqual({ refused: [because], warnings: [] });
});

it("one that an administrator may change is no reason not to start what does not run: the start tells", () => {
  const path = "/etc/java-17-openjdk/security/java.security";
  const warnings = [`${path} is not what x brought`];
  expect(faults({ path }, { isRunning: false })).toEqual({ refused: [], warnings });
  const again =
    "apt-get install --reinstall -o Dpkg::Options::=--force-confask,confnew,confmiss x brings it back";
  expect(faults({ path, changed: 1001 }).refused).toEqual([expect.stringContaining(again)]);
  for (const file of [{ size: 0 }, { is: "absent" }] as const)
    expect(faults({ path, ...file }, { isRunning: false }).refused).toEqual([expect.stringContaining(again)]);
});

it("one that was altered before the start is a warning, for the service runs with it", () => {
  const warnings = ["/usr/lib/x/y.so is not what x brought, and x.service runs with it"];
  expect(faults({})).toEqual({ refused: [], warnings });
  // Of what does not run nothing is known.
  expect(faults({}, { isRunning: false }).refused).toHaveLength(1);
});

it("one that is closed is open to root, to its owner and to its group", () => {
  const closed = { is: "closed", mode: "0640", owner: "someone:adm" } as const;
  expect(faults(closed, { user: "root" }).refused).toEqual([]);
  expect(faults(closed).refused).toEqual([]);
  expect(faults(closed, { user: "other", group: "adm" }).refused).toEqual([]);
  expect(faults(closed, { user: "other" }).refused).toHaveLength(1);
});

it("those that were not compared are a warning", () => {
  expect(faults({ is: "closed" }, { user: "root", unread: 2 }).warnings).toEqual([
    "files of its packages (2) were touched since they were unpacked, and are too large to be compared at each look: dpkg --verify does that",
  ]);
});
