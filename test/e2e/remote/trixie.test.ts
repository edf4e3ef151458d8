import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SshSettings } from "../../../src/inventory/ssh-settings.ts";
import { remoteOpener } from "../../../src/remote/open.ts";
import { Secret } from "../../../src/secret.ts";
import { type Lab, startLab } from "../../lab/lab.ts";
import { installTimeoutMs } from "../backends.ts";
import { inventoryFor, meshctl, oneHost, openRows, summaryOf } from "../meshctl.ts";
import { keygen } from "./sshd.ts";

// Debian 13 has what loopback on the oldest machines has not: OpenSSH 10 with PerSourcePenalties, and sudo-rs.
let lab: Lab;
const now = { during: "test", timeoutMs: 30_000 };
const password = "it's a secret; touch /tmp/never";

beforeAll(async () => {
  lab = await startLab({ hosts: 1, suite: "trixie" });
});
afterAll(() => lab?.down());

function settings(changed: Partial<SshSettings> = {}): SshSettings {
  return {
    host: lab.hosts[0]!.address,
    port: undefined,
    user: lab.sshUser,
    identityFiles: [lab.identityFile],
    knownHostsFiles: [lab.knownHostsFile],
    hostKeys: "strict",
    privilege: "auto",
    password: undefined,
    sudoPassword: undefined,
    passphrase: undefined,
    connectTimeoutMs: 20_000,
    ...changed,
  };
}

async function attempt(changed: Partial<SshSettings>): Promise<{ stage: string; message: string }> {
  const remote = remoteOpener({ sshConfigFile: "/dev/null" })("one", settings(changed));
  return remote
    .run("id -un; cat /proc/$PPID/cmdline | tr '\\0' ' '", now)
    .then(
      ({ stdout }) => ({ stage: stdout.split("\n")[0]!, message: "" }),
      (error) => error as { stage: string; message: string },
    )
    .finally(() => remote.end());
}

const guest = (script: string, limit = {}) => lab.hosts[0]!.exec(script, limit);

describe("sudo-rs", () => {
  beforeAll(async () => {
    const apt = `env http_proxy=${lab.proxyUrl} DEBIAN_FRONTEND=noninteractive apt-get -q -y`;
    const { stdout } = await guest(
      `${apt} update && ${apt} install --no-install-recommends sudo-rs
      ln -s /usr/lib/cargo/bin/sudo /usr/local/sbin/sudo
      useradd -m -s /bin/bash typist && printf %s ${JSON.stringify(`typist:${password}`)} | chpasswd
      printf 'typist ALL=(ALL:ALL) ALL\\n' > /etc/sudoers.d/typist
      cp -r ~ops/.ssh ~typist/ && chown -R typist: ~typist/.ssh
      /usr/local/sbin/sudo --version`,
      { timeoutMs: installTimeoutMs },
    );
    expect(stdout).toContain("sudo-rs");
  });

  it("needs no password where the rule says so, and the shell does not execute one that is given", async () => {
    expect(await attempt({})).toMatchObject({ stage: "root" });
    expect(await attempt({ sudoPassword: new Secret("touch /tmp/never") })).toMatchObject({ stage: "root" });
  });

  it("takes the password, and is asked once with a wrong one", async () => {
    const user = "typist";
    expect(await attempt({ user, sudoPassword: new Secret(password) })).toMatchObject({ stage: "root" });
    expect(await attempt({ user, sudoPassword: new Secret("wrong") })).toMatchObject({
      stage: "privilege",
      message: expect.stringContaining("sudo did not take the password"),
    });
    expect(await attempt({ user })).toMatchObject({
      stage: "privilege",
      message: expect.stringContaining("Set ssh.sudo_password"),
    });
    expect((await guest("ls /tmp/never")).code).not.toBe(0);
    const { stdout } = await guest(
      "journalctl -b --no-pager | grep -c 'pam_unix(sudo.*authentication failure'",
    );
    expect(stdout).toBe("1\n");
  });
});

describe("a host with a full disk", () => {
  it("fails with the file and the reason, keeps what it had, and comes right once there is room", async () => {
    const inventory = await inventoryFor(lab, oneHost);
    const args = ["-i", inventory, "-p", "playbooks/sysctl.yaml", "--json"];
    await guest(
      "mount -t tmpfs -o size=4k tmpfs /etc/sysctl.d && head -c 4096 /dev/zero >/etc/sysctl.d/fill",
    );
    const full = await meshctl(["provision", "--yes", ...args]);
    expect(full.code).toBe(1);
    expect(summaryOf(full).hosts[0]?.because).toMatch(/sysctl.*No space left on device/s);
    expect((await guest("ls /etc/sysctl.d")).stdout).toBe("fill\n");
    await guest("umount /etc/sysctl.d");
    const roomy = await meshctl(["provision", "--yes", ...args]);
    expect(openRows(roomy)).toEqual([]);
    expect(roomy.code).toBe(0);
  });
});

describe("a host with PerSourcePenalties", () => {
  it("lets thirty hosts' worth of connections in at once, and none of them is punished", async () => {
    await guest("systemctl restart ssh");
    const opener = remoteOpener({ sshConfigFile: "/dev/null" });
    const remotes = Array.from({ length: 30 }, (_, i) => opener(`host-${i}`, settings()));
    const outcomes = await Promise.all(remotes.map((remote) => remote.run("echo in", now)));
    expect(outcomes.every(({ stdout }) => stdout === "in\n")).toBe(true);
    await Promise.all(remotes.map((remote) => remote.end()));
    expect((await guest("journalctl -u ssh -b --no-pager | grep -ci penalty; exit 0")).stdout).toBe("0\n");
  });

  it("that refuses the address is reported in its own words", async () => {
    const wrong = `${lab.directory}/wrong`;
    keygen(wrong);
    await guest(
      "printf 'PerSourcePenalties authfail:60 min:1\\n' > /etc/ssh/sshd_config.d/00-penalties.conf; systemctl restart ssh",
    );
    expect((await attempt({ identityFiles: [wrong] })).stage).toBe("authentication");
    await expect
      .poll(() => attempt({}), { timeout: 30_000 })
      .toMatchObject({
        stage: "key exchange",
        message: expect.stringMatching(/it said: Not allowed at this time.*PerSourcePenalties/),
      });
  });
});
