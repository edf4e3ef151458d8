import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attachLab, type Lab, type LabHost } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { givenBack } from "./given-back.ts";
import { type Ended, inventoryFor, meshctl, openRows, startMeshctl, summaryOf } from "./meshctl.ts";

// While it is written: three converged hosts that were rebooted and stay up, `npm run lab -- up 3 --name NAME`.
const kept = process.env.MESHCTL_REBOOT_LAB;

let lab: Lab;
let hosts: readonly LabHost[];
let inventory: string;

beforeAll(async () => {
  lab = kept === undefined ? await convergedLab() : await attachLab(kept);
  hosts = lab.hosts;
  inventory = await inventoryFor(lab);
});

afterAll(async () => {
  if (kept === undefined) await lab?.down();
});

const verify = (...flags: string[]) => meshctl(["verify", "-i", inventory, "--json", ...flags]);
const reboot = (...flags: string[]) => ["reboot", "-i", inventory, "--yes", "--json", ...flags];
const boots = ({ events }: Ended) =>
  events.filter(({ event }) => event === "boot").map(({ host, is }) => `${host} ${is}`);
const sinceBoot = ({ events }: Ended, host: string) => [
  ...new Set(
    events
      .filter((row) => row.event === "evidence" && row.host === host && "since_boot" in row)
      .map((row) => row.since_boot),
  ),
];
const rebooted = ({ events }: Ended) =>
  events.filter(({ event }) => event === "changing").map(({ host, change }) => `${host} ${change}`);
const bootId = (host: LabHost) => mustRun(host, "cat /proc/sys/kernel/random/boot_id");

/** How many members of the ensemble take connections. */
async function listening(): Promise<readonly string[]> {
  const each = await Promise.all(
    hosts.map(
      ({ address, name }) =>
        new Promise<string | undefined>((told, fail) => {
          const socket = connect({ host: address, port: 2181 });
          const end = (listens: boolean) => {
            socket.destroy();
            told(listens ? name : undefined);
          };
          socket.setTimeout(2_000, () => end(false));
          socket.once("connect", () => end(true));
          // Of this machine there may be too few ports: that tells nothing of the host.
          socket.once("error", (error: NodeJS.ErrnoException) =>
            error.code === "EADDRNOTAVAIL" ? fail(error) : end(false),
          );
        }),
    ),
  );
  return each.flatMap((name) => name ?? []);
}

describe.sequential("what boots", () => {
  it("is proved on hosts that have booted since the last change, and said of each setting", async () => {
    const ended = await verify("--booted");
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    expect(boots(ended)).toEqual(["kvm-01 proved", "kvm-02 proved", "kvm-03 proved"]);
    expect(sinceBoot(ended, "kvm-01")).toEqual([true]);
  });

  it("is inferred after meshctl changed a host, which costs no exit code unless the boot is demanded", async () => {
    const changed = await inventoryFor(lab, (yaml) =>
      yaml.replace(/^( {2}kvm-01: \{ .*) \}$/m, "$1, sysctl: { net.core.somaxconn: 10241 } }"),
    );
    const provisioned = await meshctl(["provision", "-i", changed, "--yes", "--json"]);
    expect(openRows(provisioned)).toEqual([]);
    expect(await mustRun(hosts[0]!, "cat /var/lib/meshctl/boots")).toContain(
      `${(await bootId(hosts[0]!)).trim()} `,
    );
    const back = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    expect(openRows(back)).toEqual([]);

    const ended = await verify();
    expect(ended.code).toBe(0);
    expect(boots(ended)).toEqual(["kvm-01 inferred", "kvm-02 proved", "kvm-03 proved"]);
    expect(sinceBoot(ended, "kvm-01")).toEqual([false]);
    const said = await meshctl(["verify", "-i", inventory]);
    const once = said.stdout.match(
      /not rebooted since \d{4}-\d\d-\d\d \d\d:\d\d: what boots is inferred from its files/g,
    );
    expect(once).toHaveLength(1);

    const demanded = await verify("--booted");
    expect(demanded.code).toBe(2);
    expect(openRows(demanded)).toEqual([
      expect.stringMatching(
        /^kvm-01 boot what boots: different: not rebooted since .*99-zz-meshctl\.conf.*meshctl reboot -l kvm-01$/,
      ),
    ]);
  });

  it("is proved by `provision --prove-boot`, which reboots nobody else", async () => {
    const before = await Promise.all(hosts.map(bootId));
    const ended = await meshctl(["provision", "-i", inventory, "--yes", "--json", "--prove-boot"], {
      timeoutMs: 400_000,
    });
    expect(openRows(ended)).toEqual([]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(rebooted(ended)).toEqual(["kvm-01 reboot"]);
    const after = await Promise.all(hosts.map(bootId));
    expect(after.map((id, index) => id === before[index])).toEqual([false, true, true]);
    expect((await verify("--booted")).code).toBe(0);
  });

  it("is proved by a reboot of one host after the other, and two members of three listen all the while", async () => {
    const run = startMeshctl(reboot(), { timeoutMs: 600_000 });
    const seen: (readonly string[])[] = [];
    let isOver = false;
    const over = run.ended.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      seen.push(await listening());
      await sleep(100);
    }
    const ended = await over;
    expect(openRows(ended)).toEqual([]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(rebooted(ended).sort()).toEqual(["kvm-01 reboot", "kvm-02 reboot", "kvm-03 reboot"]);
    expect(seen.filter((names) => names.length < 2)).toEqual([]);
    expect(seen.some((names) => names.length === 2)).toBe(true);
  });

  it("is inferred again after anybody changed what decides it", async () => {
    const host = hosts[1]!;
    const file = "/etc/sysctl.d/10-somebody.conf";
    givenBack(() => mustRun(host, `rm -f ${file}`));
    await mustRun(host, `echo vm.swappiness = 10 >${file}; touch -d 2001-01-01 ${file}`);
    const ended = await verify("--booted");
    expect(ended.code).toBe(2);
    expect(openRows(ended)).toEqual([expect.stringMatching(/^kvm-02 boot .*10-somebody\.conf/)]);
  });
});

describe.sequential("a reboot", () => {
  it("is begun nowhere while a member is away, and says why", async () => {
    const appear = givenBack(() => hosts[2]!.appear());
    await hosts[2]!.vanish();
    const before = await bootId(hosts[0]!);
    const run = startMeshctl(reboot("-l", "kvm-01"));
    const held = await run.event(({ event, step }) => event === "waiting" && step === "boot");
    expect(held.because).toMatch(/restarting kvm-01 would end the quorum/);
    run.signal("SIGINT");
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(await bootId(hosts[0]!)).toBe(before);
    await appear();
  });

  it("is finished after ^C, and no other is begun", async () => {
    const before = await Promise.all(hosts.map(bootId));
    const run = startMeshctl(reboot("-l", "kvm-01,kvm-02"), { timeoutMs: 400_000 });
    const begun = await run.event(({ event }) => event === "changing");
    run.signal("SIGINT");
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(openRows(ended).filter((row) => row.startsWith(`${begun.host} `))).toEqual([]);
    const after = await Promise.all(hosts.map(bootId));
    const isRebooted = hosts.map(({ name }, index) => [name, after[index] !== before[index]]);
    expect(isRebooted).toEqual(hosts.map(({ name }) => [name, name === begun.host]));
    expect(summaryOf(ended).hosts.map(({ host, outcome }) => [host, outcome])).toContainEqual([
      begun.host,
      "as wanted",
    ]);
  });

  it("that brings up something wrong names it, and leaves the other hosts as they are", async () => {
    const host = hosts[0]!;
    givenBack(async () => {
      await mustRun(host, "systemctl disable --now squatter; rm -f /etc/systemd/system/squatter.service");
      await mustRun(host, "systemctl daemon-reload; systemctl reset-failed; systemctl restart haproxy");
    });
    const program = `perl -MIO::Socket::INET -e 'push @held, IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8080, Listen => 5) or die; sleep 3600'`;
    await mustRun(
      host,
      `printf '%s\\n' '[Unit]' 'Before=haproxy.service' '[Service]' 'Type=exec' "ExecStart=/usr/bin/${program.replaceAll('"', '\\"')}" '[Install]' 'WantedBy=sysinit.target' >/etc/systemd/system/squatter.service
      systemctl enable squatter`,
    );
    const before = await bootId(hosts[1]!);
    const ended = await meshctl(reboot("-l", "kvm-01,kvm-02"), { timeoutMs: 600_000 });
    const [first, second] = summaryOf(ended).hosts;
    expect(ended.code).toBe(1);
    expect(first!.because).toMatch(
      /^boot: it came up wrong: preflight: port 127\.0\.0\.1:8080: perl listens/,
    );
    expect(second!.because).toMatch(/^boot: left as it is: kvm-01 failed/);
    expect(await bootId(hosts[1]!)).toBe(before);
  });
});
