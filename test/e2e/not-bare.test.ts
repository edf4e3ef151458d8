import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { installTimeoutMs, mustRun } from "./backends.ts";
import { givenBack } from "./given-back.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows, summaryOf } from "./meshctl.ts";

const FOREIGN: Readonly<Record<string, string>> = {
  "/etc/haproxy/haproxy.cfg": [
    "defaults",
    "    mode http",
    "    timeout connect 1s",
    "    timeout client 1s",
    "    timeout server 1s",
    "listen somebodys",
    "    bind 127.0.0.1:7777",
    "",
  ].join("\n"),
  "/etc/zookeeper/conf/zoo.cfg": "tickTime=1234\ndataDir=/srv/somebodys\nclientPort=2181\n",
  "/etc/mysql/mariadb.conf.d/zz-meshctl.cnf": "[mysqld]\nmax_connections = 77\n",
};
const paths = Object.keys(FOREIGN);

let lab: Lab;
let host: LabHost;
let inventory: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, oneHost);
});

afterAll(() => lab?.down());

const run = (command: string, ...flags: string[]) =>
  meshctl([command, "-i", inventory, ...(command === "provision" ? ["--yes"] : []), "--json", ...flags]);

async function proveByProvision(): Promise<Ended> {
  const ended = await run("provision");
  expect(openRows(ended)).toEqual([]);
  expect(ended.code).toBe(0);
  return ended;
}

const changedBy = (ended: Ended) =>
  summaryOf(ended).hosts.flatMap(({ changed }) => changed.map(({ step }) => step));

/** Content of each file that blocked rows would replace. */
function blockedFiles({ events }: Ended): Record<string, string> {
  const rows = events.filter(({ event, verdict }) => event === "evidence" && verdict === "blocked");
  const diffs = rows.flatMap(({ diff }) =>
    diff === undefined ? [] : [diff as { path: string; was: string }],
  );
  return Object.fromEntries(diffs.map(({ path, was }) => [path, was]));
}

async function filesOnHost(): Promise<Record<string, string>> {
  const contents = paths.map(async (path) => [path, await mustRun(host, `cat ${path}`)] as const);
  return Object.fromEntries(await Promise.all(contents));
}

describe("files and flags that are wrong", () => {
  const connections = () =>
    mustRun(host, "journalctl --no-pager -q -u ssh -o cat | grep -c Accepted || true");

  async function expectRefused(ended: Ended): Promise<void> {
    expect(ended.code).toBe(3);
    expect(ended.stdout).toBe("");
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(await connections()).toBe(await before);
  }

  let before: Promise<string>;
  beforeAll(() => {
    before = connections();
  });

  it("in the inventory are all told at once with their places, and no host is touched", async () => {
    const wrong = await inventoryFor(lab, (yaml) =>
      oneHost(yaml)
        .replace("port: 8080", "port: 80800")
        .replace("buffer_pool_size", "buffer_pool")
        .replace("ensemble: zookeeper", "ensemble: zookeepers"),
    );
    const text = (await readFile(wrong, "utf8")).split("\n");
    const placeOf = (words: string, from = words) => {
      const line = text.findIndex((each) => each.includes(words));
      return `${wrong}:${line + 1}:${text[line]!.indexOf(from) + 1} `;
    };
    const ended = await meshctl(["provision", "-i", wrong, "--yes"]);
    await expectRefused(ended);
    const places = ended.stderr.split("\n").filter((line) => line.startsWith(wrong));
    expect(places).toEqual([
      expect.stringContaining(placeOf("ensemble: zookeepers", "zookeepers")),
      expect.stringContaining(placeOf("80800", "80800")),
      expect.stringContaining(placeOf("buffer_pool:", "buffer_pool")),
    ]);
  });

  it.each([
    ["an unknown flag", ["--frobnicate"], "--frobnicate"],
    ["an unknown step", ["--steps", "sysctl,haproxi"], "did you mean 'haproxy'"],
    ["an unknown host", ["--limit", "kvm-30"], "kvm-30"],
    ["a number that is none", ["--parallel", "many"], "--parallel"],
    ["an inventory that is not there", ["-i", "/nowhere.yaml"], "/nowhere.yaml"],
    ["a playbook that is not there", ["-p", "/nowhere.yaml"], "/nowhere.yaml"],
  ])("such as %s end with 3 and one sentence", async (_, flags, said) => {
    const ended = await meshctl(["provision", "-i", inventory, "--yes", ...flags]);
    await expectRefused(ended);
    expect(ended.stderr).toContain(said);
  });
});

describe.sequential("somebody else's haproxy.cfg, zoo.cfg and database settings", () => {
  async function expectBlocked(): Promise<void> {
    for (const command of ["plan", "verify"]) {
      const ended = await run(command);
      expect(blockedFiles(ended)).toEqual(FOREIGN);
      expect(ended.code).toBe(2);
    }
    for (const step of ["zookeeper", "haproxy", "mysql"]) {
      const ended = await run("provision", "--steps", step);
      expect(ended.code).toBe(1);
      expect(summaryOf(ended).hosts).toEqual([
        expect.objectContaining({ because: expect.stringContaining("adopt: true"), changed: [] }),
      ]);
    }
    expect(await filesOnHost()).toEqual(FOREIGN);
  }

  it("block the steps they are in the way of, before any package is installed", async () => {
    for (const path of paths) {
      await mustRun(host, `mkdir -p "$(dirname ${path})" && cat >${path}`, FOREIGN[path]);
    }
    await expectBlocked();
    expect((await host.exec("dpkg -s haproxy zookeeper mariadb-server")).code).not.toBe(0);
  });

  it.each(["plan", "verify"])("are shown by %s as diffs for a person", async (command) => {
    const { stdout } = await meshctl([command, "-i", inventory]);
    expect(stdout).toContain("-    bind 127.0.0.1:7777");
    expect(stdout).toContain("-tickTime=1234");
    expect(stdout).toContain("+tickTime=2000");
    expect(stdout).toContain("-max_connections = 77");
    expect(stdout).toContain('"adopt: true"');
  });

  it("block them also where the packages are installed and run with these files", async () => {
    const apt = `env http_proxy=${lab.proxyUrl} DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Options::=--force-confold`;
    const allow = givenBack(() => mustRun(host, "rm -f /usr/sbin/policy-rc.d"));
    await mustRun(
      host,
      "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d",
    );
    await mustRun(
      host,
      `${apt} update && ${apt} install --no-install-recommends haproxy zookeeper mariadb-server`,
      undefined,
      { timeoutMs: installTimeoutMs },
    );
    await allow();
    await mustRun(host, "systemctl restart haproxy mariadb");
    expect(await filesOnHost()).toEqual(FOREIGN);
    await expectBlocked();
    expect(await mustRun(host, "ss -Hltn sport = 7777")).not.toBe("");
  });

  it("are replaced where the inventory adopts them, and kept for the run", async () => {
    const before = inventory;
    inventory = await inventoryFor(lab, (yaml) =>
      oneHost(yaml).replace(
        /\b(zookeeper|haproxy|mysql): \{ (heap|maxconn|buffer_pool_size)/g,
        "$1: { adopt: true, $2",
      ),
    );
    await proveByProvision();
    inventory = before;
    for (const path of paths) {
      expect(await mustRun(host, `cat /var/lib/meshctl/runs/*/before${path}`)).toBe(FOREIGN[path]);
    }
    const listed = await meshctl(["restore", "-i", inventory]);
    expect(listed.stdout).toMatch(
      /haproxy\.cfg \(adopted; what it was is in \/var\/lib\/meshctl\/runs\/\S+\/before\/etc\/haproxy\/haproxy\.cfg\)/,
    );
    expect(await mustRun(host, "ss -Hltn sport = 7777")).toBe("");
    expect(await mustRun(host, "find /var/lib/meshctl/runs -maxdepth 0 -perm 0700")).not.toBe("");
    expect(changedBy(await proveByProvision())).toEqual([]);
  });
});

describe.sequential("a host that somebody changes behind meshctl's back", () => {
  it("has its edited files put back, each with a diff in the plan", async () => {
    await mustRun(host, "sed -i 's/maxconn 9000/maxconn 12/' /etc/haproxy/haproxy.cfg");
    await mustRun(host, "sed -i 's/tickTime=2000/tickTime=777/' /etc/zookeeper/conf/zoo.cfg");
    await mustRun(host, "echo 'max_connections = 78' >>/etc/mysql/mariadb.conf.d/zz-meshctl.cnf");
    const { stdout, code } = await meshctl(["plan", "-i", inventory]);
    expect(code).toBe(2);
    expect(stdout).toContain("-tickTime=777");
    expect(stdout).toContain("-max_connections = 78");
    expect(stdout).toMatch(/^\s*-.*\bmaxconn 12$/m);
    expect(stdout).toMatch(/^\s*\+.*\bmaxconn 9000$/m);
    expect(new Set(changedBy(await proveByProvision()))).toEqual(new Set(["zookeeper", "watcher", "mysql"]));
  });

  it("has stopped and disabled services started and enabled again", async () => {
    await mustRun(host, "systemctl stop zookeeper mariadb; systemctl disable --now haproxy meshctl-watcher");
    const drifted = await run("verify");
    expect(drifted.code).toBe(2);
    await proveByProvision();
    const units = ["zookeeper", "haproxy", "meshctl-watcher", "mariadb"].join(" ");
    expect(await mustRun(host, `systemctl is-enabled ${units}`)).toBe("enabled\n".repeat(4));
  });

  it.each(["haproxy", "mariadb"])("is told about a masked %s, which stays masked", async (unit) => {
    const unmask = givenBack(() => mustRun(host, `systemctl unmask ${unit}`));
    await mustRun(host, `systemctl mask --now ${unit}`);
    const masked = await run("provision", "--steps", unit === "haproxy" ? "haproxy" : "mysql");
    expect(masked.code).toBe(1);
    expect(summaryOf(masked).hosts[0]!.because).toContain(`systemctl unmask ${unit}`);
    expect((await host.exec(`systemctl is-enabled ${unit}`)).stdout).toBe("masked\n");
    await unmask();
    await proveByProvision();
  });

  it("is refused while a file that sorts later sets a kernel setting otherwise", async () => {
    const path = "/etc/sysctl.d/99-zzz-somebody.conf";
    const remove = givenBack(() => mustRun(host, `rm -f ${path}`));
    await mustRun(host, `printf '# ours\\nnet.ipv4.tcp_fin_timeout = 61\\n' >${path}`);
    for (const command of ["verify", "provision"]) {
      const ended = await run(command, "--steps", "sysctl");
      expect(openRows(ended)).toEqual([
        expect.stringMatching(`kvm-03 sysctl net.ipv4.tcp_fin_timeout: blocked: ${path}:2 `),
      ]);
      expect(ended.code).toBe(command === "verify" ? 2 : 1);
    }
    await remove();
    expect((await run("verify")).code).toBe(0);
  });
});
