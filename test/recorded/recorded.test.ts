import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runCommand } from "../../src/cli/run-command.ts";
import { suites } from "../lab/suite.ts";
import { recordedRelease } from "./recorded.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-recorded-"));
beforeAll(() => vi.stubEnv("XDG_STATE_HOME", join(folder, "state")));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

interface Row {
  readonly event: string;
  readonly step: string;
  readonly setting: string;
  readonly verdict: string;
  readonly because?: string;
}

type Release = ReturnType<typeof recordedRelease>;

/** What `verify --from` says of a recording. */
async function verified({ inventory, recording }: Release): Promise<readonly Row[]> {
  const [given, from] = ["inventory.yaml", "hosts.json"].map((name) => join(folder, name));
  writeFileSync(given!, inventory);
  writeFileSync(from!, JSON.stringify(recording));
  let said = "";
  const written = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const flags = { inventory: [given!], parallel: 1, color: false, diff: false, json: true };
    await runCommand({ command: "verify", from: from! }, flags);
  } finally {
    written.mockRestore();
    told.mockRestore();
  }
  const events: Row[] = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return events.filter(({ event }) => event === "evidence");
}

/** A question that is asked otherwise since. */
const ANEW = /the recording has no answer to: /;
/** Of all rows: with more of them a recording tells too little of its release. */
const MOST_ANEW = 0.25;

describe.each(suites)("a converged host of %s, as it answered", (suite) => {
  const release = recordedRelease(suite);

  it("is proven, and has every step's rows", async () => {
    const rows = await verified(release);
    const anew = rows.filter(({ because }) => ANEW.test(because ?? ""));
    expect(anew.length, `npm run test:record -- ${suite}`).toBeLessThan(rows.length * MOST_ANEW);
    expect(rows.filter((row) => row.verdict !== "proven" && !anew.includes(row))).toEqual([]);
    const steps = "preflight sysctl zookeeper haproxy watcher mysql".split(" ");
    expect([...new Set(rows.map(({ step }) => step))].filter((step) => steps.includes(step))).toEqual(steps);
  });

  it("of which one answer was another is not", async () => {
    const [host, { answers }] = Object.entries(
      release.recording.hosts as Record<string, { answers: Record<string, { value: string[] }> }>,
    )[0]!;
    const [question, answer] = Object.entries(answers).find(([key]) =>
      /^file \/proc\/sys\/net\/ipv4\/tcp_fin_timeout content/.test(key),
    )!;
    const altered = { ...answer, value: answer.value.map((field) => (field === "15\n" ? "60\n" : field)) };
    const hosts = { [host]: { answers: { ...answers, [question]: altered } } };
    const rows = await verified({ ...release, recording: { ...release.recording, hosts } });
    expect(rows.filter(({ setting }) => setting === "net.ipv4.tcp_fin_timeout")).toEqual([
      expect.objectContaining({ verdict: "not-in-force" }),
    ]);
  });

  it("tells no key and no password", () => {
    expect(JSON.stringify(release)).not.toMatch(
      /PRIVATE KEY|(?:passw(?:or)?d|secret|token)["']?\s*[:=]\s*["']?[^\s"'*<{[\\]{6,}/i,
    );
  });
});
