import { afterEach, describe, expect, it, vi } from "vitest";
import { Interruption } from "../../src/cli/interruption.ts";
import type { Change } from "../../src/contract/change.ts";
import type { RunEvent } from "../../src/engine/events.ts";
import { Ledger } from "../../src/engine/ledger.ts";

afterEach(() => vi.restoreAllMocks());

const change: Change = { id: "zoo.cfg", why: "it differs", commands: [], activate: [] };

function interrupted(events: readonly RunEvent[], presses: number) {
  let said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  const reported: RunEvent[] = [];
  const codes: number[] = [];
  const ledger = new Ledger();
  const interruption = new Interruption({
    ledger,
    report: (event) => reported.push(event),
    execsOf: () => 2,
    argv: ["provision", "-l", "kvm-01,!b c"],
    exit: (code) => codes.push(code),
  });
  for (const event of events) {
    interruption.see(event);
    if (event.event === "changing") ledger.begin(event.host, event.step, event.change);
    if (event.event === "failed") ledger.fail(event.host, `${event.step}: ${event.because}`);
  }
  for (let press = 0; press < presses; press += 1) interruption.interrupt();
  return { said, reported, codes, interruption, isStopping: interruption.signal.aborted };
}

const begun: RunEvent[] = [
  { event: "run", command: "provision", hosts: ["a", "b"], steps: ["zookeeper"] },
  { event: "step", step: "zookeeper", title: "", hosts: ["a", "b"] },
  { event: "changing", host: "a", step: "zookeeper", change },
];

describe("^C", () => {
  it("lets the change under way finish", () => {
    const { said, codes, isStopping } = interrupted(begun, 1);
    expect(isStopping).toBe(true);
    expect(codes).toEqual([]);
    expect(said).toContain("^C again");
  });

  it("tells how to go on once the run has ended by itself", () => {
    const { interruption } = interrupted(begun, 1);
    let said = "";
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      said += text;
      return true;
    });
    interruption.tellHowToGoOn();
    expect(said).toContain("goes on: meshctl provision -l 'kvm-01,!b c'");
  });

  it("twice drops the run, and says of which host the outcome is unknown and how to go on", () => {
    const { said, codes, reported } = interrupted(begun, 2);
    expect(codes).toEqual([130]);
    expect(said).toContain("What became of a is unknown");
    expect(said).toContain("meshctl provision -l 'kvm-01,!b c'");
    expect(reported).toMatchObject([
      {
        event: "summary",
        exitCode: 130,
        hosts: [
          { host: "a", is: "interrupted", unproven: [{ change: "zoo.cfg" }], because: /unknown/ },
          { host: "b", is: "interrupted", unproven: [], because: "the run was dropped" },
        ].map((host) => ({ ...host, because: expect.stringMatching(host.because) })),
      },
    ]);
  });

  it("once is enough where nothing is being changed", () => {
    const { codes, said } = interrupted(begun.slice(0, 1), 1);
    expect(codes).toEqual([130]);
    expect(said).toContain("nothing was under way");
  });

  it("is what a closed terminal and a lost reader are like, and both together no second one", () => {
    const { reported, codes, interruption } = interrupted(begun, 0);
    interruption.finish();
    interruption.finish();
    expect(interruption.signal.aborted).toBe(true);
    expect([codes, reported]).toEqual([[], []]);
    interruption.interrupt();
    expect(codes).toEqual([130]);
  });

  it("is nothing when all is told already", () => {
    const summary: RunEvent = { event: "summary", exitCode: 0, hosts: [], durationMs: 1 };
    const { reported, codes, interruption } = interrupted([...begun.slice(0, 1), summary], 0);
    interruption.finish();
    expect([codes, reported]).toEqual([[], []]);
    expect(interruption.signal.aborted).toBe(false);
  });

  it("does not hide a failure that came before", () => {
    const failed: RunEvent = { event: "failed", host: "a", step: "zookeeper", because: "no space left" };
    const { reported } = interrupted([...begun, failed], 2);
    expect(reported).toMatchObject([{ hosts: [{ is: "failed", because: "zookeeper: no space left" }, {}] }]);
  });
});
