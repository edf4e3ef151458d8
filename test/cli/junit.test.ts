import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { JunitReport, junitXml } from "../../src/cli/report/junit.ts";
import type { Layer } from "../../src/contract/reading.ts";
import type { HostOutcome } from "../../src/engine/events.ts";
import { judge } from "../../src/evidence/verdict.ts";
import { Secret } from "../../src/secret.ts";

const directory = mkdtempSync(join(tmpdir(), "meshctl-junit-"));
afterAll(() => rmSync(directory, { recursive: true }));

const read = (value: string): Layer => ({ is: "read", value, source: "/etc/x:1" });

function row(setting: string, onDisk: Layer, inForce: Layer, warning?: string) {
  const evidence = judge({ setting, want: "1", onDisk, inForce, warning });
  return { event: "evidence", host: "a", step: "sysctl", evidence } as const;
}

function summary(...outcomes: (Pick<HostOutcome, "host" | "is"> & Partial<HostOutcome>)[]) {
  const hosts = outcomes.map((outcome) => ({ changed: [], unproven: [], execs: 1, ...outcome }));
  return { event: "summary", exitCode: 0, durationMs: 1234, hosts } as const;
}

describe("a JUnit report", () => {
  it("has a suite for each host and a failure for everything that is not proven", () => {
    const unread: Layer = { is: "unreadable", source: "ss -ltn", because: "it hung" };
    const rows = [
      row("good", read("1"), read("1")),
      row("bad", read("1"), read("0")),
      row("dark", read("1"), unread),
    ];
    const xml = junitXml(summary({ host: "a", is: "drift" }), rows, []);
    expect(xml).toContain('<testsuites name="meshctl" time="1.234">');
    expect(xml).toContain('<testsuite name="a" tests="3" failures="2" errors="0">');
    expect(xml).toContain('<testcase classname="a.sysctl" name="good"/>');
    expect(xml).toContain(
      '<failure type="not-in-force" message="on disk it is as wanted, but what runs has 0, not 1">' +
        "on disk it is as wanted, but what runs has 0, not 1\nwant: 1\non disk: 1 (/etc/x:1)\nin force: 0 (/etc/x:1)</failure>",
    );
    expect(xml).toContain('<failure type="unknown" message="ss -ltn could not be read: it hung">');
  });

  it("tells the warning of a case, also of one that passes", () => {
    const rows = [
      row("service", read("1"), read("1"), "registered, but DOWN: <alpha>"),
      row("bad", read("1"), read("0"), "and more"),
    ];
    const xml = junitXml(summary({ host: "a", is: "drift" }), rows, []);
    expect(xml).toContain(
      '<testcase classname="a.sysctl" name="service">\n' +
        "      <system-out>warning: registered, but DOWN: &lt;alpha&gt;</system-out>\n    </testcase>",
    );
    expect(xml).toContain("</failure>\n      <system-out>warning: and more</system-out>\n    </testcase>");
    expect(xml).toContain('tests="2" failures="1" errors="0"');
  });

  it("has an error for a host that was not reached, and for a step that failed", () => {
    const hosts = summary(
      { host: "a", is: "failed", because: "no" },
      { host: "b", is: "unreachable", because: "nobody answers" },
    );
    const failed = { event: "failed", host: "a", step: "mysql", because: "no", output: "said" } as const;
    const xml = junitXml(hosts, [row("good", read("1"), read("1"))], [failed]);
    expect(xml).toContain('<testsuite name="a" tests="2" failures="0" errors="1">');
    expect(xml).toContain(
      '<testcase classname="a.mysql" name="run">\n      <error type="failed" message="no">no\nsaid',
    );
    expect(xml).toContain('<testsuite name="b" tests="1" failures="0" errors="1">');
    expect(xml).toContain('<error type="unreachable" message="nobody answers">');
  });

  it("is well-formed whatever it quotes, and shows no secret", () => {
    new Secret(`pass<"&word`);
    const nasty = `<a href="x">&\u0007\u001b]]>\ud800 pass<"&word`;
    const xml = junitXml(summary({ host: "a", is: "drift" }), [row(nasty, read("1"), read("0"))], []);
    expect(xml).toContain('name="&lt;a href=&quot;x&quot;&gt;&amp;\ufffd\ufffd]]&gt;\ufffd ••••••"');
  });

  it("replaces the file at the end of the run only, and leaves nothing else behind", () => {
    const file = join(directory, "report.xml");
    const report = new JunitReport(file);
    report.see(row("good", read("1"), read("1")));
    expect(readdirSync(directory)).not.toContain("report.xml");
    report.see(summary({ host: "a", is: "as wanted" }));
    report.end();
    expect(readdirSync(directory)).toEqual(["report.xml"]);
    expect(readFileSync(file, "utf8")).toContain('name="good"');
  });

  it("is refused before the run where it cannot be written", () => {
    const file = join(directory, "none/report.xml");
    expect(() => new JunitReport(file)).toThrow(`--junit ${file}: no such folder: make it first`);
    expect(() => new JunitReport(directory)).toThrow(`--junit ${directory}: is a folder, name a file in it`);
  });
});
