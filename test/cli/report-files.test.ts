import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { runCommand } from "../../src/cli/run-command.ts";
import { statusCommand } from "../../src/cli/status-command.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-reports-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
writeFileSync(
  at("i.yaml"),
  "version: 1\nhosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }\n" +
    "groups: { proxies: [a], zookeeper: [a] }\n" +
    "mesh: { proxies: proxies, ensemble: zookeeper, services: { s: { path: /s, port: 8080 } } }\n",
);
const flags = { inventory: [at("i.yaml")], parallel: 1, color: false, diff: true };

it.each([
  ["--html", { htmlFile: at("none/x.html") }, /^--html /],
  ["--prometheus", { htmlFile: at("x.html"), prometheusFile: at("none/x.prom") }, /^--prometheus /],
  ["--record", { htmlFile: at("x.html"), record: at("none/x.json") }, /^--record/],
  ["--from", { record: at("x.json"), from: at("none") }, /^--from /],
])("%s that cannot be leaves nothing of the other reports", async (_, files, words) => {
  await expect(runCommand({ command: "verify", ...files }, { ...flags, junit: at("x.xml") })).rejects.toThrow(
    words,
  );
  expect(readdirSync(folder)).toEqual(["i.yaml"]);
});

it("a look at no host leaves nothing of its page", async () => {
  await expect(statusCommand({ ...flags, limit: "b", html: at("x.html") })).rejects.toThrow(
    /^no host is part/,
  );
  expect(readdirSync(folder)).toEqual(["i.yaml"]);
});

it.each([
  ["all of the mesh", {}, true],
  ["--limit", { limit: "a" }, false],
  ["--shard", { shard: { at: 1, of: 2 } }, false],
])("the mesh is told of where all of it was looked at: %s", async (_, part, isWhole) => {
  const other = mkdtempSync(join(tmpdir(), "meshctl-part-"));
  vi.stubEnv("XDG_STATE_HOME", join(other, "state"));
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const from = join(other, "recorded.json");
    writeFileSync(from, '{"meshctl_recording":1,"recorded":"2026-01-02T00:00:00.000Z","hosts":{}}');
    const prometheusFile = join(other, "x.prom");
    await runCommand({ command: "verify", from, prometheusFile }, { ...flags, ...part });
    expect(readFileSync(prometheusFile, "utf8").includes("meshctl_mesh_problems")).toBe(isWhole);
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(other, { recursive: true });
  }
});
