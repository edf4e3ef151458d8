import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { inventoryFor, meshctl } from "./meshctl.ts";

// Words that stand in for secrets. "known" ones stand where secrets usually do, and are masked at the latest; "plain" ones
// stand under names that no pattern knows: nothing but leaving them on the host keeps them out of a recording. Files that meshctl writes itself travel whole where
// they differ: no plain word stands there.
const known = (place: string) => `canary-known-${place}-pw7Qx`;
const plain = (place: string) => `canary-plain-${place}-word9Zt`;

/** Where they are planted: a script each. */
const PLACES: Readonly<Record<string, string>> = {
  "an option file": `
    printf '[client]\\npassword=${known("client")}\\n[mysqldump]\\nuser=${plain("dump")}\\n' >/etc/mysql/conf.d/zz-canary.cnf`,
  "an option file that the server reads": `
    printf '[mysqld]\\nloose_report_password=${known("report")}\\nloose_odd_word=${plain("mysqld")}\\n' >/etc/mysql/conf.d/zz-canary-server.cnf`,
  "environment files": `
    for name in haproxy zookeeper mysql; do printf 'ODD_WORD=${plain("default")}\\nAPI_TOKEN=${known("default")}\\n' >>/etc/default/$name; done`,
  "ZooKeeper's environment": `
    printf '\\nODD_WORD=${plain("zk-env")}\\n' >>/etc/zookeeper/conf/environment`,
  "units' environments, and what starts with them": `
    for unit in haproxy meshctl-watcher zookeeper mariadb; do
      mkdir -p /etc/systemd/system/$unit.service.d
      printf '[Service]\\nEnvironment=ODD_WORD=${plain("unit")} API_TOKEN=${known("unit")}\\nExecStartPost=/bin/echo password=${known("journal")}\\n' \\
        >/etc/systemd/system/$unit.service.d/zz-canary.conf
    done
    systemctl daemon-reload
    systemctl restart meshctl-watcher haproxy mariadb zookeeper`,
  "the manager's environment": `
    systemctl set-environment ODD_WORD=${plain("manager")} API_TOKEN=${known("manager")}`,
  "command lines": `
    systemd-run --quiet --collect --unit=canary-line bash -c 'exec -a "haproxy -sf 1 --password ${known("line")} ${plain("line")}" sleep 600'
    systemd-run --quiet --collect --unit=canary-listener perl -MIO::Socket::INET \\
      -e 'my $held = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 9, Listen => 5) or die; sleep 600' ${plain("listener")}`,
  "zoo.cfg": `
    printf '\\nssl.keyStore.password=${known("zoo")}\\n' >>/etc/zookeeper/conf/zoo.cfg`,
  // Nobody puts it back before it is read.
  "haproxy.cfg": `
    systemctl stop meshctl-watcher.service meshctl-haproxy-install.path
    printf '\\nuserlist canary\\n  user someone insecure-password ${known("userlist")}\\nlisten canary\\n  bind 127.0.0.1:3999\\n  mode http\\n  stats enable\\n  stats auth admin:${known("stats")}\\n' \\
      >>/etc/haproxy/haproxy.cfg`,
  "what runs as cron, at boot and for the kernel": `
    printf '* * * * * root sysctl -q -w vm.swappiness=60; true ${plain("cron")} --password ${known("cron")}\\n' >/etc/cron.d/canary
    printf '#!/bin/sh\\nsysctl -q -w net.ipv4.tcp_fin_timeout=15\\n: ${plain("rc-local")}\\n' >/etc/rc.local; chmod 755 /etc/rc.local`,
};

let lab: Lab;
let host: LabHost;
let inventory: string;
let folder: string;

beforeAll(async () => {
  lab = await convergedLab();
  host = lab.hosts[2]!;
  inventory = await inventoryFor(lab);
  folder = await mkdtemp(join(tmpdir(), "meshctl-canary-words-"));
  for (const script of Object.values(PLACES)) await mustRun(host, `set -e\n${script}`);
});

afterAll(async () => {
  await lab?.down();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** The words that a text holds, each once, as they were planted. */
const wordsIn = (text: string) => [
  ...new Set(text.match(/canary-(?:known|plain)-[\w-]+?-(?:pw7Qx|word9Zt)/g) ?? []),
];

describe("secrets of a host's own", () => {
  it("are on the host, all of them", async () => {
    const found = await mustRun(
      host,
      `{ cat /etc/mysql/conf.d/zz-* /etc/default/haproxy /etc/zookeeper/conf/environment /etc/zookeeper/conf/zoo.cfg /etc/haproxy/haproxy.cfg \\
         /etc/cron.d/canary /etc/rc.local; systemctl show -p Environment haproxy; systemctl show-environment; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; journalctl -b -o cat
       } 2>/dev/null | tr '\\0' '\\n'`,
    );
    const planted = Object.values(PLACES).flatMap(wordsIn);
    expect(wordsIn(found).toSorted()).toEqual([...new Set(planted)].toSorted());
  });

  it("come in no output, and in no recording of what the host answered", async () => {
    const file = join(folder, "hosts.json");
    const runs = [
      await meshctl(["verify", "-i", inventory, "--json", "--record", file]),
      await meshctl(["verify", "-i", inventory, "--explain", "*"]),
      await meshctl(["plan", "-i", inventory]),
      await meshctl(["status", "-i", inventory]),
    ];
    // It looked, and what it saw is not as it should be.
    expect(runs[0]!.code, runs[0]!.stderr).toBe(2);
    for (const { stdout, stderr } of runs) expect(wordsIn(stdout + stderr)).toEqual([]);
    const recorded = await readFile(file, "utf8");
    expect(recorded).toContain("zz-canary");
    const bytes = [...recorded.matchAll(/"base64":"([^"]*)"/g)].map(([, text]) =>
      Buffer.from(text!, "base64").toString(),
    );
    expect(wordsIn(recorded + bytes.join("\n"))).toEqual([]);
  });
});
