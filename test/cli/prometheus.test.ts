import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Measured, PrometheusReport, prometheusText } from "../../src/cli/report/prometheus.ts";
import { Secret } from "../../src/secret.ts";
import { meshOf, outcome, row } from "./pages.ts";

function measured(more: Partial<Measured> = {}): Measured {
  const hosts = [outcome("kvm-1", "drift"), outcome("kvm-2", "unreachable", "no route")];
  return {
    summary: { event: "summary", exitCode: 5, durationMs: 1500, hosts },
    rows: [row("kvm-1", "a", "1"), row("kvm-1", "b", "0"), row("kvm-1", "c", "0", { warning: "mind" })],
    mesh: undefined,
    lookedAt: 1_764_235_000.5,
    ...more,
  };
}

/** What Prometheus takes of a line (its exposition format 0.0.4). */
const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(?:\{${LABEL}(?:,${LABEL})*\})? (-?[\d.e+-]+|NaN)$`);

describe("metrics for the textfile collector", () => {
  it("count each verdict of each step on each host, zeros too", () => {
    const text = prometheusText(measured());
    expect(text).toContain('meshctl_settings{host="kvm-1",step="sysctl",verdict="proven"} 1\n');
    expect(text).toContain('meshctl_settings{host="kvm-1",step="sysctl",verdict="not-in-force"} 2\n');
    expect(text).toContain('meshctl_settings{host="kvm-1",step="sysctl",verdict="unknown"} 0\n');
    expect(text).toContain('meshctl_setting_warnings{host="kvm-1",step="sysctl"} 1\n');
    expect(text).toContain("meshctl_verify_timestamp_seconds 1764235000.5\n");
    expect(text).toContain("meshctl_verify_exit_code 5\n");
  });

  it("have no number for a host that was not read", () => {
    const text = prometheusText(measured());
    expect(text).toContain('meshctl_host_outcome{host="kvm-2",outcome="unreachable"} 1\n');
    expect(text).toContain('meshctl_host_outcome{host="kvm-2",outcome="as wanted"} 0\n');
    expect(text).not.toMatch(/meshctl_settings\{host="kvm-2"/);
    expect(text).not.toContain("meshctl_servers");
  });

  it("count a service's servers by state, and nothing of a proxy or member that nobody could read", () => {
    const mesh = meshOf(3, ["kvm-2"]);
    const [one, two, three] = mesh.proxies;
    const silent = {
      ...three!,
      haproxy: { is: "no answer", ageSeconds: undefined, version: undefined },
    } as const;
    const text = prometheusText(measured({ mesh: { ...mesh, proxies: [one!, two!, silent] } }));
    expect(text).toContain('meshctl_servers{host="kvm-1",service="user-api",state="up"} 1\n');
    expect(text).toContain('meshctl_servers{host="kvm-2",service="user-api",state="down"} 1\n');
    expect(text).not.toContain('meshctl_servers{host="kvm-3"');
    expect(text).toContain('meshctl_zookeeper_member_serves{host="kvm-2"} 0\n');
    expect(text).not.toContain('meshctl_zookeeper_member_serves{host="kvm-3"}');
    expect(text).toContain("meshctl_mesh_problems 1\n");
  });

  it("are what Prometheus reads, each with its help and type once, whatever names say", () => {
    new Secret("a-long-password");
    const hostile = 'a"} 1\nevil 1\\ \ud800 a-long-password';
    const text = prometheusText(measured({ rows: [row(hostile, "a", "1")], mesh: meshOf(2) }));
    const lines = text.trimEnd().split("\n");
    const named = (word: string) =>
      lines.flatMap((line) => (line.startsWith(`# ${word} `) ? [line.split(" ")[2]!] : []));
    const samples = lines.filter((line) => !line.startsWith("# "));
    for (const sample of samples) expect(sample).toMatch(SAMPLE);
    const names = [...new Set(samples.map((sample) => SAMPLE.exec(sample)![1]!))];
    expect(names).not.toContain("evil");
    expect(named("HELP")).toEqual(names);
    expect(named("TYPE")).toEqual(names);
    expect(text).not.toContain("a-long-password");
    expect(text.endsWith("\n")).toBe(true);
  });

  it("are all in the manual", () => {
    const manual = readFileSync(join(import.meta.dirname, "../../docs/commands.md"), "utf8");
    const told = [...manual.matchAll(/^\| `(meshctl_\w+)`/gm)].map(([, name]) => name);
    const text = prometheusText(measured({ mesh: meshOf(2) }));
    expect([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name)).toEqual(told);
  });

  it("are put in place whole: the collector reads no file that is still written", () => {
    const folder = mkdtempSync(join(tmpdir(), "meshctl-prometheus-"));
    try {
      const file = join(folder, "verify.prom");
      const report = new PrometheusReport(file, new Date(1000));
      report.see(row("kvm-1", "a", "1"));
      // Whatever is there while the run lasts, the collector does not take.
      expect(readdirSync(folder).filter((name) => name.endsWith(".prom"))).toEqual([]);
      report.see(measured().summary);
      report.end();
      expect(readdirSync(folder)).toEqual(["verify.prom"]);
      expect(readFileSync(file, "utf8")).toContain("meshctl_verify_timestamp_seconds 1\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
