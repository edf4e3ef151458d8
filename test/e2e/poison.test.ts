import { chmod, copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { remoteOpener } from "../../src/remote/open.ts";
import { Secret } from "../../src/secret.ts";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { runOk } from "../lab/run.ts";
import { mustRun } from "./backends.ts";
import { expectCarried, hostileSendings } from "./hostile-host.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows } from "./meshctl.ts";

/** Every way a program might be made to do something else by a secret; no line breaks, which no password has. */
const METACHARACTERS = `'"\`touch /tmp/meshctl-pwned\`$(touch /tmp/meshctl-pwned);|&\\ %s#{}*-é`;
/** A part of each that no way of quoting changes: what shows it anywhere has shown the secret. */
const MARKS = {
  sudo: "Zq7sudoPoison",
  ssh: "Zq7sshPoison",
  key: "Zq7keyPoison",
  proxy: "Zq7proxyPoison",
} as const;
const secret = (name: keyof typeof MARKS) => MARKS[name] + METACHARACTERS;
/** As they would be seen: plain, and in base64, whole. */
const TRACES = Object.values(MARKS).flatMap((mark) => [
  mark,
  Buffer.from(mark).toString("base64").slice(0, 16),
]);

/** In ZooKeeper's and Synapse's hands, in a watcher's arguments and in JSON. */
const HOSTILE_PATH = `/services/$(touch\${IFS}/tmp/meshctl-pwned)\`id\`;|&'"\\#{}<%=1%>%s`;

let lab: Lab;
let host: LabHost;
let folder: string;
let inventory: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  folder = await mkdtemp(join(tmpdir(), "meshctl-poison-"));
  const key = join(folder, "id");
  await copyFile(lab.identityFile, key);
  await chmod(key, 0o600);
  await runOk("ssh-keygen", ["-q", "-p", "-P", "", "-N", secret("key"), "-f", key]);
  await writeFile(join(folder, "ssh-password"), `${secret("ssh")}\n`, { mode: 0o600 });
  await writeFile(join(folder, "passphrase"), secret("key"), { mode: 0o600 });
  // Both the key and the password are wanted, and sudo asks for root's password, not for the user's.
  await mustRun(
    host,
    `read -r line; printf 'ops:%s\\n' "$line" | chpasswd && read -r line && printf 'root:%s\\n' "$line" | chpasswd &&
     printf '%s\\n' 'Defaults rootpw' 'ops ALL=(ALL) ALL' >/etc/sudoers.d/ops &&
     printf '%s\\n' 'PasswordAuthentication yes' 'AuthenticationMethods publickey,password' >/etc/ssh/sshd_config.d/00.conf &&
     systemctl reload ssh`.replaceAll("read -r", "IFS= read -r"),
    `${secret("ssh")}\n${secret("sudo")}\n`,
  );
  const proxy = lab.proxyUrl.replace("//", `//ops:${encodeURIComponent(secret("proxy"))}@`);
  process.env.POISON_SUDO = secret("sudo");
  process.env.POISON_PROXY = proxy;
  inventory = await inventoryFor(lab, (yaml) =>
    oneHost(yaml)
      .replace(/identity_file: .*/, `identity_file: ${key}`)
      .replace(
        "  host_keys: strict",
        `  host_keys: strict
  privilege: sudo
  password: !command [cat, ${folder}/ssh-password]
  sudo_password: !env POISON_SUDO
  passphrase: !file ${folder}/passphrase`,
      )
      .replace(/proxy: .*/, "proxy: !env POISON_PROXY")
      .replace(
        "path: /services/user-api",
        `path: ${JSON.stringify(HOSTILE_PATH)}\n      check: { http: "GET /health?a=%20(1);*&b=~!" }`,
      ),
  );
});

afterAll(async () => {
  delete process.env.POISON_SUDO;
  delete process.env.POISON_PROXY;
  await lab?.down();
});

const run = (...args: string[]) => meshctl([...args, "-i", inventory]);

function expectNoTrace(text: string): void {
  expect(TRACES.filter((trace) => text.includes(trace))).toEqual([]);
}

function expectClean({ stdout, stderr }: Ended): void {
  expectNoTrace(stdout + stderr);
}

const STEPS = ["--steps", "preflight,sysctl,zookeeper,haproxy,watcher"];

describe("secrets and hostile values that go through a whole provision", () => {
  it("bring the host to what is wanted, and no output shows a secret", async () => {
    // Every command line and environment there is on the host while it is provisioned.
    await mustRun(
      host,
      `systemd-run --quiet --unit=watch-processes sh -c '
        for what in cmdline environ; do
          while :; do cat /proc/[0-9]*/$what 2>/dev/null | tr "\\0" "\\n"; sleep 0.02; done |
            awk "!seen[\\$0]++ { print; fflush() }" >/root/seen-$what &
        done; wait'`,
    );
    expectClean(await run("plan", "-v", ...STEPS));
    const ended = await run("provision", "--yes", "--json", "-v", ...STEPS);
    expectClean(ended);
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    // Where nobody tells systemd that the last process has ended it waits for 90 s.
    await mustRun(host, "systemctl stop watch-processes", undefined, { timeoutMs: 180_000 });
    for (const args of [["verify", "-v"], ["hosts"], ["hosts", "--json", "kvm-03"], ["validate", "--json"]])
      expectClean(await run(...args));
  });

  it("carried the values literally, and nothing was run", async () => {
    const synapse = JSON.parse(await mustRun(host, "cat /etc/meshctl/synapse.conf.json"));
    expect(synapse.services["user-api"].discovery.path).toBe(HOSTILE_PATH);
    expect(await mustRun(host, "cat /etc/haproxy/haproxy.cfg")).toContain(
      "option httpchk GET /health?a=%20(1);*&b=~!\n",
    );
    expect((await host.exec("find / -xdev -name 'meshctl-pwned*'")).stdout).toBe("");
  });

  it("nor does what hostile values in all other fields make of probes and files", async () => {
    const remote = remoteOpener()(host.name, {
      host: host.address,
      port: 22,
      user: lab.sshUser,
      identityFiles: [join(folder, "id")],
      knownHostsFiles: [lab.knownHostsFile],
      hostKeys: "strict",
      privilege: "sudo",
      password: new Secret(secret("ssh")),
      sudoPassword: new Secret(secret("sudo")),
      passphrase: new Secret(secret("key")),
      connectTimeoutMs: 5_000,
    });
    await expectCarried(await hostileSendings(folder), remote);
    await remote.end();
    expect((await host.exec("find / -xdev -name 'meshctl-pwned*'")).stdout).toBe("");
  });

  it("never stood in a command line on the host, and but for the proxy's in no environment", async () => {
    const commandLines = await mustRun(host, "cat /root/seen-cmdline");
    expect(commandLines).toContain("apt-get");
    expectNoTrace(commandLines);
    // By environment, because apt takes it in no better way, and no other account may read a process's environment.
    const environments = await mustRun(host, "cat /root/seen-environ");
    const lines = environments.split("\n").filter((line) => TRACES.some((trace) => line.includes(trace)));
    expect([...new Set(lines.map((line) => line.split("=")[0]))].sort()).toEqual([
      "http_proxy",
      "https_proxy",
    ]);
  });

  it("stand in no file of the host, no log, and nothing that is kept here", async () => {
    await mustRun(host, "rm /root/seen-*; journalctl --sync");
    const traces = TRACES.join("\n");
    const found = await host.exec("grep -rlaFs -f - /etc /var /opt /tmp /root /home /run /srv /usr/local", {
      input: traces,
      timeoutMs: 240_000,
    });
    expect(found.stdout).toBe("");
    expectNoTrace(await mustRun(host, "journalctl --no-pager -o export"));
    const kept = await runOk("sh", [
      "-c",
      `grep -rlaFs ${TRACES.map((trace) => `-e ${trace}`).join(" ")} "$0" || true`,
      join(homedir(), ".cache/meshctl"),
    ]);
    expect(kept).toBe("");
  });

  it("are not in the message when one of them is wrong", async () => {
    for (const [name, wrong] of [
      ["POISON_SUDO", `wrong ${secret("sudo")}`],
      ["POISON_PROXY", secret("proxy")],
      ["POISON_SUDO", `${secret("sudo")}\nsecond line`],
    ] as const) {
      const ended = await meshctl(["plan", "-i", inventory, "--steps", "preflight", "-v"], {
        env: { [name]: wrong },
      });
      expect([3, 4]).toContain(ended.code);
      expectClean(ended);
    }
    expectNoTrace(await mustRun(host, "journalctl --no-pager -o export"));
  });
});
