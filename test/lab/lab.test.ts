import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { frozen } from "../e2e/given-back.ts";
import { labProcesses, labsWithCgroups } from "./cgroups.ts";
import { attachLab, type Lab, type LabHost, startLab } from "./lab.ts";
import { diskDirectory, repositoryRoot, runDirectory } from "./paths.ts";
import { packageCacheDirectory } from "./proxy.ts";
import { readRecord } from "./record.ts";
import { sweepStaleLabs } from "./remove.ts";
import { type Outcome, run } from "./run.ts";
import { suites } from "./suite.ts";
import { labUnavailable } from "./unavailable.ts";

const ssh = (lab: Lab, host: LabHost, command: string): Promise<Outcome> =>
  run("ssh", ["-o", "BatchMode=yes", "-o", "ConnectTimeout=2", ...lab.sshArguments(host), command]);

const output = async (host: LabHost, script: string): Promise<string> => {
  const { code, stdout, stderr } = await host.exec(script, { timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
  return stdout.trim();
};

/** Everything on this machine that bears the lab's name or its slot. */
async function traces(name: string, slot: number): Promise<string[]> {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const commands = (await run("ps", ["-eo", "args"])).stdout.split("\n");
  return [
    ...mounts.filter((line) => line.includes(`/meshctl-lab/${name}/`)),
    ...commands.filter(
      (line) => line.includes(`/meshctl-lab/${name}/`) || line.includes(`attendant.ts ${name} `),
    ),
    ...labProcesses(name).map((pid) => `process ${pid}`),
    ...labsWithCgroups().filter((lab) => lab === name),
    ...[join(runDirectory, name), join(diskDirectory, name)].filter((path) => existsSync(path)),
    ...(await readdir("/sys/class/net")).filter((link) => link === `mlab-${slot}`),
  ];
}

const until = async (check: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadlineMs = Date.now() + 20_000; !(await check()); await sleep(100)) {
    if (Date.now() > deadlineMs) throw new Error("waited 20 s in vain");
  }
};

describe.skipIf(labUnavailable() !== undefined)("the lab", () => {
  let lab: Lab;
  let first: LabHost;
  let second: LabHost;

  beforeAll(async () => {
    // Two releases, as systemd runs on cgroup v1 in the one and on v2 in the other.
    lab = await startLab({ hosts: 2, suites: ["bookworm", "trixie"], memoryMax: "512M", log: console.error });
    [first, second] = lab.hosts as [LabHost, LabHost];
  });
  afterAll(() => lab?.down());

  it("answers ssh(1) with the keys it put in known_hosts, and lets ops be root", async () => {
    for (const host of lab.hosts) {
      expect(await ssh(lab, host, "uname -n; sudo -n id -u")).toEqual({
        code: 0,
        stdout: `${host.name}\n0\n`,
        stderr: "",
      });
    }
    expect((await ssh(lab, first, "true")).code).toBe(0);
    const asRoot = lab.sshArguments(first).map((word) => word.replace("ops@", "root@"));
    expect((await run("ssh", ["-o", "BatchMode=yes", ...asRoot, "true"])).code).toBe(255);
  });

  it("boots the whole of systemd", async () => {
    for (const host of lab.hosts) expect(await output(host, "systemctl is-system-running")).toBe("running");
  });

  it("passes input, output and exit code, and ends a script that takes too long", async () => {
    expect(await first.exec("cat; echo no >&2; exit 7", { input: "yes" })).toEqual({
      code: 7,
      stdout: "yes",
      stderr: "no\n",
    });
    await expect(first.exec("sleep 100", { timeoutMs: 300 })).rejects.toThrow(
      "took longer than 300 ms and was killed: sleep 100",
    );
    expect((await first.exec("pgrep -x sleep")).code).toBe(1);
  });

  const stateOfDbus = (host: LabHost) =>
    output(host, "cut -d' ' -f3 /proc/$(systemctl show --property=MainPID --value dbus)/stat");

  it.fails("has a test that freezes a service and fails", async () => {
    await frozen(first, "dbus");
    if ((await stateOfDbus(first)) === "T") throw new Error("on its way, as it should");
  });

  it("gives the next test a service that runs", async () => {
    expect(await stateOfDbus(first)).toBe("S");
  });

  it("gives every host a network stack of its own", async () => {
    const read = "cat /proc/sys/net/ipv4/tcp_fin_timeout";
    const before = [await output(second, read), (await run("sh", ["-c", read])).stdout];
    await output(first, "sysctl -qw net.ipv4.tcp_fin_timeout=17");
    expect(await output(first, read)).toBe("17");
    expect([await output(second, read), (await run("sh", ["-c", read])).stdout]).toEqual(before);
  });

  it("lets hosts reach each other", async () => {
    const banner = `timeout 3 bash -c 'exec 3<>/dev/tcp/${second.address}/22; head -c 4 <&3'`;
    expect(await output(first, banner)).toBe("SSH-");
  });

  it("caps the memory of a host, also of its services, and ends only what asks for more", async () => {
    const limit = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    if (existsSync(limit)) expect(await output(first, `cat ${limit}`)).toBe(String(512 * 1024 ** 2));
    const takeOneGiB = `perl -e 'length("a" x 2**30)'`;
    for (const host of lab.hosts) {
      expect((await host.exec(takeOneGiB)).code).toBe(137);
      await host.exec(`systemd-run --quiet --wait --unit=greedy ${takeOneGiB}`);
      expect(await output(host, "systemctl show --property=ExecMainStatus --value greedy")).toBe("9");
      await output(host, "systemctl reset-failed greedy");
      expect(await output(host, "systemctl is-active ssh")).toBe("active");
    }
  });

  it("gives hosts packages through its proxy only, and keeps them", async () => {
    const apt = `apt-get -qq -o Acquire::http::Proxy=${lab.proxyUrl}`;
    expect((await first.exec("apt-get -qq -o Acquire::Retries=0 update")).stderr).not.toBe("");
    await Promise.all(lab.hosts.map((host) => output(host, `${apt} update && ${apt} install -y hello`)));
    for (const host of lab.hosts) expect(await output(host, "hello")).toBe("Hello, world!");
    const kept = await readdir(packageCacheDirectory, { recursive: true });
    // One file for each version; those of two releases may differ.
    expect(kept.filter((file) => /\/hello_[^/]*\.deb$/.test(file))).not.toEqual([]);
    expect(kept.filter((file) => /InRelease$/.test(file))).toEqual([]);
  });

  it("loses sight of a host that vanishes, not of what it runs, until it appears", async () => {
    await first.vanish();
    expect((await ssh(lab, first, "true")).code).toBe(255);
    expect(await output(first, "uname -n")).toBe("kvm-01");
    await first.appear();
    await until(async () => (await ssh(lab, first, "true")).code === 0);
  });

  it("reboots for real: the disk stays, /run and the kernel's settings start anew", async () => {
    const bootId = "cat /proc/sys/kernel/random/boot_id";
    await output(second, "touch /root/stays /run/goes; sysctl -qw net.ipv4.tcp_fin_timeout=18");
    const before = await output(second, bootId);
    await second.reboot();
    expect(await output(second, bootId)).not.toBe(before);
    expect(
      await output(second, "ls /root/stays; ls /run/goes || true; sysctl -n net.ipv4.tcp_fin_timeout"),
    ).toBe("/root/stays\n60");
    expect((await ssh(lab, second, "true")).code).toBe(0);
  });

  it("cuts the power and boots again with what was on the disk", async () => {
    await output(second, "echo written > /root/file");
    await second.powerCut();
    expect(second.isOn()).toBe(false);
    await expect(second.exec("true")).rejects.toThrow("kvm-02 is off.");
    await second.powerOn();
    expect((await ssh(lab, second, "sudo cat /root/file")).stdout).toBe("written\n");
  });

  it("is found by other processes, by its name", async () => {
    const attached = await attachLab(lab.name);
    expect((await ssh(attached, attached.hosts[0]!, "true")).code).toBe(0);
  });

  it("refuses a name that is taken, and says what to type", async () => {
    await expect(startLab({ name: lab.name, hosts: 1 })).rejects.toThrow(
      `The lab '${lab.name}' is already up. Take it down first: npm run lab -- down --name ${lab.name}`,
    );
  });

  it("boots every release, beside another lab, and leaves nothing behind", async () => {
    const mixed = await startLab({ hosts: suites.length, suites });
    const { slot } = readRecord(mixed.name)!;
    expect(mixed.gateway).not.toBe(lab.gateway);
    const versions = mixed.hosts.map((host) => output(host, ". /etc/os-release; echo $PRETTY_NAME"));
    for (const [index, suite] of suites.entries()) expect(await versions[index]).toContain(suite);
    expect(await traces(mixed.name, slot)).not.toEqual([]);
    await mixed.down();
    expect(await traces(mixed.name, slot)).toEqual([]);
    expect((await ssh(lab, first, "true")).code).toBe(0);
  });

  describe("with a layer", () => {
    const start = (make: (bare: Lab) => Promise<void>) =>
      startLab({ hosts: 1, memoryMax: "512M", layer: { recipe: `test ${process.pid}`, make } });

    it("leaves none where its hosts did not become what they should", async () => {
      await expect(start(() => Promise.reject(new Error("not made")))).rejects.toThrow("not made");
    });

    it("makes it once for its addresses, and boots from it, each time as another machine", async () => {
      const makers: string[] = [];
      const make = async (bare: Lab) => {
        makers.push(bare.name);
        await output(bare.hosts[0]!, "rm /etc/issue; echo written >/root/layer; touch /run/gone");
      };
      const slots = new Set<number>();
      const machines = new Set<string>();
      for (let times = 0; times < 2; times++) {
        const layered = await start(make);
        const host = layered.hosts[0]!;
        slots.add(readRecord(layered.name)!.slot);
        machines.add(await output(host, "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"));
        expect(await output(host, "ls /run/gone /etc/issue 2>/dev/null; cat /root/layer")).toBe("written");
        expect(await output(host, "systemctl is-system-running")).toBe("running");
        expect((await ssh(layered, host, "true")).code).toBe(0);
        // What is done from now on is no part of it.
        await output(host, "echo otherwise >/root/layer");
        await layered.down();
        if (times === 1) await layered.forgetLayer();
      }
      // Another lab may have taken the addresses meanwhile.
      expect(makers).toHaveLength(slots.size);
      expect(machines.size).toBe(2);
    });
  });

  describe("whose owner is killed", () => {
    const startOwner = async (name: string): Promise<{ owner: ChildProcess; slot: number }> => {
      const command = ["--import", "tsx", join(import.meta.dirname, "owner.ts"), name];
      const owner = spawn(process.execPath, command, {
        stdio: ["ignore", "pipe", "inherit"],
        cwd: repositoryRoot,
      });
      await once(owner.stdout!, "data");
      return { owner, slot: readRecord(name)!.slot };
    };

    it("is taken down by its attendant", async () => {
      const name = `t-${process.pid}-killed`;
      const { owner, slot } = await startOwner(name);
      owner.kill("SIGKILL");
      await until(async () => (await traces(name, slot)).length === 0);
    });

    it("is removed by the next lab command when the attendant died too", async () => {
      const name = `t-${process.pid}-crashed`;
      const { owner, slot } = await startOwner(name);
      process.kill(readRecord(name)!.attendant!.pid, "SIGKILL");
      owner.kill("SIGKILL");
      await once(owner, "close");
      expect(await traces(name, slot)).not.toEqual([]);
      expect(await sweepStaleLabs()).toContain(name);
      expect(await traces(name, slot)).toEqual([]);
    });
  });
});
