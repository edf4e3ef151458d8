import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { meshctl, summaryOf } from "../meshctl.ts";
import { keygen, startSshd, type TestSshd } from "./sshd.ts";

let sshd: TestSshd;
const inside = (name: string) => join(sshd.directory, name);

beforeAll(async () => {
  sshd = await startSshd({ sudoers: "" });
});
afterAll(async () => {
  await sshd?.stop();
});

function inventory(hosts: Record<string, string>): string {
  const path = inside("inventory.yaml");
  const lines = Object.entries(hosts).map(
    ([name, ssh], i) => `  ${name}: { address: 10.99.0.${i + 1}, ssh: { host: 127.0.0.1, ${ssh} } }`,
  );
  const yaml = [
    "version: 1",
    `ssh: { user: ops, identity_file: ${sshd.identityFile}, known_hosts: ${sshd.knownHostsFile}, connect_timeout: 5s }`,
    "mesh: { ensemble: every, proxies: every, services: {} }",
    "hosts:",
    ...lines,
    `groups: { every: [${Object.keys(hosts).join(", ")}] }`,
    "",
  ];
  writeFileSync(path, yaml.join("\n"));
  return path;
}

function fingerprintOf(publicKeyFile: string): string {
  return execFileSync("ssh-keygen", ["-lf", publicKeyFile]).toString().split(" ")[1] as string;
}

describe("meshctl", () => {
  it("exits with 4 where no host lets it in, each for its own reason and stage", async () => {
    keygen(inside("other"));
    const changed = inside("changed");
    writeFileSync(changed, `[127.0.0.1]:${sshd.port} ${readFileSync(inside("other.pub"), "utf8")}`);
    const port = `port: ${sshd.port}`;
    const file = inventory({
      changed: `${port}, known_hosts: ${changed}`,
      locked: `${port}, identity_file: ${inside("other")}`,
      plain: port,
      closed: `${port}, user: closed`,
      gone: "port: 1",
    });
    const ended = await meshctl(["verify", "-i", file, "-p", "playbooks/sysctl.yaml", "--json"]);
    expect(ended.code).toBe(4);
    const because = Object.fromEntries(summaryOf(ended).hosts.map((one) => [one.host, one.because ?? ""]));
    expect(because.changed).toMatch(/^host key: /);
    for (const part of [
      fingerprintOf(inside("host_key.pub")),
      fingerprintOf(inside("other.pub")),
      `${changed}:1`,
    ])
      expect(because.changed).toContain(part);
    expect(because.locked).toMatch(/^authentication: ops is not let in: refused: key file/);
    expect(because.plain).toMatch(/^privilege: sudo was refused without a password/);
    expect(because.closed).toMatch(/^channel: the login shell ended with code 1/);
    expect(because.gone).toMatch(/^connect: 127.0.0.1 port 1 refused/);
    expect(readFileSync(changed, "utf8")).toContain(readFileSync(inside("other.pub"), "utf8").trim());
  });

  it("tells a long reason whole only once, at the end", async () => {
    const file = inventory({
      unknown: `port: ${sshd.port}, known_hosts: /dev/null`,
      locked: `port: ${sshd.port}, identity_file: ${inside("none")}`,
    });
    const { code, stdout, stderr } = await meshctl(["verify", "-i", file, "-p", "playbooks/sysctl.yaml"]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/✗ locked authentication: ops is not let in: [^.]*/);
    expect(stdout).toContain("Try: ssh -v");
    expect(stderr).not.toContain("Try: ssh -v");
  });

  it("shows how a host would be reached, and what each setting comes from", async () => {
    const file = inventory({ db: "port: 2222" });
    const shown = await meshctl(["hosts", "db", "-i", file, "-p", "playbooks/sysctl.yaml", "--json"]);
    const [{ ssh }] = JSON.parse(shown.stdout);
    expect(ssh).toMatchObject({
      port: { value: 2222, from: "inventory" },
      user: { value: "ops", from: "inventory" },
      host_keys: { value: "strict", from: "default" },
      known_hosts_files: { value: [sshd.knownHostsFile], from: "inventory" },
      global_known_hosts_files: { from: "default" },
      keepalive_ms: { value: 10_000, from: "default" },
      password: { value: "not set", from: "default" },
    });
  });

  it("shows a person the same, and of secrets only whether they are set", async () => {
    const env = { ...process.env, TEST_PASSPHRASE: "open sesame", TEST_SUDO: "s3same" };
    const file = inventory({ db: "passphrase: !env TEST_PASSPHRASE, sudo_password: !env TEST_SUDO" });
    const shown = await meshctl(["hosts", "db", "-i", file, "-p", "playbooks/sysctl.yaml"], { env });
    expect(shown.stdout.split("\n")).toEqual(
      expect.arrayContaining([
        "db  10.99.0.1",
        "  user: ops  (inventory)",
        `  known_hosts_files: ${sshd.knownHostsFile}  (inventory)`,
        "  connect_timeout_ms: 5000  (inventory)",
        "  keepalive_ms: 10000  (default)",
        "  keepalive_count_max: 3  (default)",
        "  password: not set  (default)",
        "  passphrase: set  (inventory)",
        "  sudo_password: set  (inventory)",
      ]),
    );
    for (const secret of ["open sesame", "s3same"]) expect(shown.stdout).not.toContain(secret);
  });
});
