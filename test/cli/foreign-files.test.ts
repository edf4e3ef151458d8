import { Chalk } from "chalk";
import { describe, expect, it } from "vitest";
import { junitXml } from "../../src/cli/report/junit.ts";
import { ndjsonReporter } from "../../src/cli/report/ndjson.ts";
import { evidenceTable, keyedRow } from "../../src/cli/ui/evidence-table.ts";
import { planView } from "../../src/cli/ui/plan-view.ts";
import type { Change } from "../../src/contract/change.ts";
import { judge } from "../../src/evidence/verdict.ts";

/** A file of somebody else in the way, with a secret in it. */
const FOREIGN = "listen stats\n    stats auth admin:s3cret\n    setenv API_TOKEN s3cret\n    bind :1936\n";
const OURS = "frontend x\n";
const diff = { path: "/etc/haproxy/haproxy.cfg", was: FOREIGN, want: OURS };

const evidence = judge({
  setting: "haproxy.cfg",
  want: "as meshctl writes it",
  onDisk: { is: "read", value: "password=s3cret", source: "/x" },
  inForce: { is: "inapplicable" },
  blocked: "line 2 says stats auth, and --password s3cret",
  diff,
});
const row = { event: "evidence", host: "a", step: "haproxy", evidence } as const;
const change: Change = {
  id: "configuration",
  why: "it differs",
  commands: [
    { kind: "write", path: diff.path, content: [OURS], mode: "0644", owner: "root:root", was: FOREIGN },
    { kind: "remove", path: "/etc/old", was: FOREIGN },
    { kind: "restore", path: diff.path, from: "r", expected: "1", before: "2", diff },
  ],
  activate: [],
};
const options = { paint: new Chalk({ level: 0 }), columns: 140, verbose: true };
const planned = new Map([["a", [{ step: "haproxy", change }]]]);

function ndjson(more: { noDiff?: boolean } = {}): string {
  const lines: string[] = [];
  ndjsonReporter("r", (line) => lines.push(line), more)(row);
  return lines.join("");
}

const sinks = {
  "the table": (noDiff: boolean) => evidenceTable([keyedRow(row, options)], { ...options, noDiff }),
  "the plan": (noDiff: boolean) => planView(planned, { ...options, noDiff }),
  NDJSON: (noDiff: boolean) => ndjson({ noDiff }),
};

describe("a file of somebody else", () => {
  it.each(Object.entries(sinks))("is shown in %s without the secrets in it", (_, sink) => {
    const text = sink(false);
    expect(text).toContain("stats auth admin:••••••");
    expect(text).toContain("bind :1936");
    expect(text).not.toContain("s3cret");
  });

  it.each(Object.entries(sinks))("is only named in %s with --no-diff", (_, sink) => {
    const text = sink(true);
    expect(text).toContain(diff.path);
    expect(text).not.toMatch(/1936|frontend x|s3cret/);
  });

  it("is told in JUnit without the secrets in it", () => {
    const summary = { event: "summary", exitCode: 2, durationMs: 1, hosts: [] } as const;
    const hosts = [{ host: "a", is: "drift", changed: [], unproven: [], execs: 1 }] as const;
    const xml = junitXml({ ...summary, hosts }, [row], []);
    expect(xml).toContain("password=••••••");
    expect(xml).not.toContain("s3cret");
  });

  it("that differs in a secret alone is told to differ", () => {
    const text = evidenceTable(
      [
        keyedRow(
          {
            ...row,
            evidence: { ...evidence, diff: { ...diff, want: FOREIGN.replaceAll("s3cret", "other") } },
          },
          options,
        ),
      ],
      options,
    );
    expect(text).toContain("± /etc/haproxy/haproxy.cfg (differs in what is masked)");
  });
});
