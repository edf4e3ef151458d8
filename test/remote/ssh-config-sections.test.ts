import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sshConfigReader } from "../../src/remote/ssh-config.ts";
import { sectionsOf } from "../../src/remote/ssh-config-files.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-ssh-config-"));
const config = join(folder, "config");
const included = join(folder, "more");
afterAll(() => rmSync(folder, { recursive: true }));

/** Names that get one answer, in the groups that are told apart; undefined: each is asked for. */
async function together(text: string, names: readonly string[]): Promise<readonly (readonly string[])[]> {
  writeFileSync(config, text);
  const of = await sectionsOf(config);
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const key = of(name) ?? `only ${name}`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()];
}

describe("hosts that ssh_config does not tell apart", () => {
  const names = ["kvm-01", "kvm-02", "db-01"];
  const all = [names];
  const each = names.map((name) => [name]);
  it.each<[string, string, readonly (readonly string[])[]]>([
    ["no file", "", all],
    ["values for all", "User ops\nHost *\n  Port 2222\n  ControlPath ~/.ssh/%r@%h\n", all],
    ["a section of some", "Host kvm-*\n  User ops\n", [["kvm-01", "kvm-02"], ["db-01"]]],
    ["a section that leaves one out", "Host * !kvm-02\n  User ops\n", [["kvm-01", "db-01"], ["kvm-02"]]],
    ["another case", "Host KVM-01\n  User ops\n", [["kvm-01"], ["kvm-02", "db-01"]]],
    ["Match", "Match host kvm-01\n  User ops\n", each],
    ["names in values", "HostName %h.example\n", each],
    ["names in values of some", "Host kvm-*\n  HostName %h.example\n", [["kvm-01"], ["kvm-02"], ["db-01"]]],
    ["canonical names", "CanonicalizeHostname yes\n", each],
    ["a comment", "# HostName %h.example\n", all],
    ["what is included", `Host other\n  Include ${included}\n`, [["kvm-01"], ["kvm-02", "db-01"]]],
  ])("%s", async (_, text, groups) => {
    writeFileSync(included, "Host kvm-01\n  User root\n");
    expect(await together(text, names)).toEqual(groups);
  });

  it("get what ssh itself says of each", async () => {
    writeFileSync(
      config,
      "Host kvm-*\n  User ops\n  ProxyJump bastion\nHost *\n  Port 2222\n  HostName Here.example\n",
    );
    for (const text of [
      "Host kvm-*\n  User ops\n  ProxyJump bastion\nHost *\n  Port 2222\n",
      "HostName Here.example\n",
    ]) {
      writeFileSync(config, text);
      const warnings: string[] = [];
      const shared = sshConfigReader(config, (text) => warnings.push(text));
      for (const name of ["kvm-01", "kvm-02", "KVM-03", "db-01"]) {
        const target = { name, user: undefined, port: undefined };
        const alone = await sshConfigReader(config, () => {}).valuesFor(target);
        expect(await shared.valuesFor(target), name).toEqual(alone);
      }
    }
  });
});
