import { createHash } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { type LoadedRequest, startLoad } from "../lab/open-loop.ts";
import { eventually, listChildren, mustRun, startBackend } from "./backends.ts";
import { serversOf } from "./haproxy.ts";
import { type Ended, meshctl, openRows, summaryOf } from "./meshctl.ts";

/** Of one host: packages, and gems that are compiled. */
const SET_UP_MS = 900_000;
/** Longer than any provision: it is stopped behind it. */
const LOAD = { port: 3210, perSecond: 20, durationMs: 900_000 } as const;
const PATH = "/smartstack/services/users";
const OWN_CONFIG = "/srv/smartstack/haproxy.cfg";
/** How many requests one restart of HAProxy may cost: the port is closed for as long as a stop and a start take. */
const RESTART_COSTS = 10 * LOAD.perSecond;

let lab: Lab;
let hosts: readonly LabHost[];
/** Its HAProxy has a file of its own; that of the others is where Debian's unit has it. */
let third: LabHost;
let folder: string;
let inventory: string;

beforeAll(async () => {
  const setUp = await readFile(join(import.meta.dirname, "hand-made/set-up.sh"), "utf8");
  lab = await startLab({
    hosts: 3,
    layer: {
      recipe: createHash("sha256").update(setUp).digest("hex"),
      make: async ({ hosts: bare, proxyUrl, caFile }) => {
        const certificates = await readFile(caFile, "utf8");
        const addresses = bare.map(({ address }) => address).join(" ");
        const setUpOn = async (host: LabHost) => {
          const id = bare.indexOf(host) + 1;
          const config = id === 3 ? OWN_CONFIG : "/etc/haproxy/haproxy.cfg";
          await mustRun(host, "cat >/root/ca.pem", certificates);
          await mustRun(host, "cat >/root/set-up.sh", setUp);
          const command = `sh /root/set-up.sh ${proxyUrl} /root/ca.pem ${id} ${config} ${addresses}`;
          await mustRun(host, command, undefined, { timeoutMs: SET_UP_MS });
          await mustRun(host, "apt-get clean");
        };
        const [one, ...others] = bare;
        await setUpOn(one!);
        const gems = "var/lib/gems usr/local/bin/synapse usr/local/bin/nerve";
        const archive = await mustRun(one!, `tar -C / -cz ${gems} | base64`);
        await Promise.all(
          others.map(async (host) => {
            await mustRun(host, "base64 -d | tar -C / -xz", archive);
            await setUpOn(host);
          }),
        );
      },
    },
  });
  hosts = lab.hosts;
  third = hosts[2]!;
  for (const host of hosts) await startBackend(host, host.name, 9000);
  // One calls itself otherwise than its host.
  await mustRun(hosts[1]!, "sed -i 's/kvm-02/legacy/' /srv/smartstack/nerve.json && systemctl restart nerve");
  await served();
  folder = await mkdtemp(join(tmpdir(), "meshctl-adopt-"));
  inventory = join(folder, "inventory.yaml");
});

afterAll(() => lab?.down());

/** Waits until every proxy has every backend, and no other, and each is UP. */
async function served(): Promise<void> {
  for (const host of hosts)
    await eventually(
      `${host.name} serves all`,
      () => serversOf(host, "users"),
      (servers) => {
        const there = servers.filter(({ status }) => !status.startsWith("MAINT"));
        return there.length === hosts.length && there.every(({ status }) => status === "UP");
      },
    );
}

const run = (command: string, ...flags: string[]) =>
  meshctl([command, "-i", inventory, ...(command === "provision" ? ["--yes"] : []), "--json", ...flags], {
    timeoutMs: 900_000,
  });

const changesOf = ({ events }: Ended) =>
  events.flatMap((each) =>
    each.event === "planned" ? [{ host: String(each.host), step: String(each.step) }] : [],
  );

const failed = (requests: readonly LoadedRequest[]) => requests.filter(({ status }) => status !== 200);

describe.sequential("hosts that were set up by hand", () => {
  it("are read as they are: their files where they lie, and an inventory that is valid", async () => {
    const from = hosts.map(({ name, address }) => `${name}=${address}`).join();
    const login = ["--user", lab.sshUser, "--identity-file", lab.identityFile];
    const output = join(folder, "imported.yaml");
    const ended = await meshctl([
      ...["import", "--from", from, ...login, "--known-hosts", lab.knownHostsFile, "-o", output],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const text = await readFile(output, "utf8");
    for (const { name } of hosts) {
      for (const [program, file] of [
        ["Synapse, synapse.service", "/srv/smartstack/synapse.json"],
        ["Nerve, nerve.service", "/srv/smartstack/nerve.json"],
        ["HAProxy, haproxy.service", name === third.name ? OWN_CONFIG : "/etc/haproxy/haproxy.cfg"],
        ["ZooKeeper, zookeeper.service", "/srv/zk/conf/zoo.cfg"],
      ] as const)
        expect(text).toMatch(new RegExp(`# {3}${name}: ${program}, process \\d+: ${file}$`, "m"));
      if (name === hosts[1]!.name)
        expect(text).toContain(`${name}: Nerve calls itself legacy: servers are called`);
      expect(text).toContain(`${name}: /srv/zk/conf/zoo.cfg: maxClientCnxns=200: no place`);
    }
    // What MariaDB's own file says of it, and that no other has one.
    expect(text).toMatch(new RegExp(`^  databases:\\n    hosts: \\[${third.name}\\]\\n    mysql:$`, "m"));
    for (const line of [
      "server: mariadb",
      'buffer_pool_size: "96M"',
      'log_file_size: "48M"',
      "flush_log_at_trx_commit: 2",
    ])
      expect(text).toContain(`\n      ${line}\n`);
    expect((await meshctl(["validate", "-i", output])).code).toBe(0);
    // How this network reaches registries is nowhere on the hosts.
    const network = `network: { proxy: "${lab.proxyUrl}", ca_file: ${lab.caFile} }`;
    // A flush takes longer than 50 ms where all hosts share a busy machine's disk.
    const patient = text.replace(/^( +)virtualization: .*$/m, "$&\n$1flush_latency_max: 1s");
    expect(patient).not.toBe(text);
    await writeFile(inventory, patient.replace(/^mesh:$/m, `${network}\n\nmesh:`));
  });

  it("are planned to change in what the inventory says, and nothing else", async () => {
    const text = await readFile(inventory, "utf8");
    const said = (host: string, step: string) =>
      new RegExp(`^# {3}[^:]*\\b${host}\\b[^:]*: ${step}: `, "m").test(text);
    const ended = await run("plan");
    const changes = changesOf(ended);
    expect(new Set(changes.map(({ step }) => step))).toEqual(
      new Set(["sysctl", "zookeeper", "haproxy", "watcher", "registrar", "mysql"]),
    );
    expect(changes.filter(({ host, step }) => !said(host, step))).toEqual([]);
    // One has to be told: it would start with nothing to serve.
    const blocked = ended.events.filter(({ verdict }) => verdict === "blocked");
    expect(blocked).toMatchObject([{ host: third.name, step: "haproxy", setting: "starts with" }]);
    const copy = `cp -p ${OWN_CONFIG} /etc/haproxy/haproxy.cfg`;
    expect(blocked[0]!.because).toContain(copy);
    expect(text).toContain(`First, on the host: ${copy},`);
    await mustRun(third, copy);
    await mustRun(third, "sed -i '/^CONFIG=/d' /etc/default/haproxy");
  });

  it("are taken over while they serve: no request is lost but for the one restart", async () => {
    const database = () => mustRun(third, "systemctl show --property=MainPID --value mariadb");
    const serving = await database();
    const before = await listChildren(hosts[0]!, PATH);
    expect(before).toHaveLength(hosts.length);
    const loads = await Promise.all(hosts.map((host) => startLoad(host, LOAD)));
    let ended: Ended;
    try {
      ended = await run("provision");
    } finally {
      for (const load of loads) load.stop();
    }
    const requests = await Promise.all(loads.map((load) => load.ended));
    for (const [at, { name }] of hosts.entries()) {
      const lost = failed(requests[at]!);
      console.log(`${name}: ${requests[at]!.length} requests sent, ${lost.length} failed`);
    }
    expect(summaryOf(ended).hosts.map(({ because, outcome }) => because ?? outcome)).toEqual(
      hosts.map(() => "as wanted"),
    );
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    expect(await database()).toBe(serving);
    expect(failed(requests[0]!)).toEqual([]);
    expect(failed(requests[1]!)).toEqual([]);
    // Its HAProxy reads another file since: only a restart does that, and nobody listens between stop and start.
    expect(failed(requests[2]!).length).toBeLessThanOrEqual(RESTART_COSTS);
  });

  it("have meshctl's programs in the place of theirs, and every backend registered once", async () => {
    for (const host of hosts) {
      const states = await host.exec("systemctl is-active synapse nerve; systemctl is-enabled synapse nerve");
      expect(states.stdout).toBe("inactive\ninactive\ndisabled\ndisabled\n");
    }
    expect(await listChildren(hosts[0]!, PATH)).toHaveLength(hosts.length);
    await served();
  });

  it("are changed by nothing when provisioned again", async () => {
    const again = await run("provision");
    expect(openRows(again)).toEqual([]);
    expect(summaryOf(again).hosts.flatMap(({ changed }) => changed)).toEqual([]);
    expect(again.code).toBe(0);
    expect((await run("plan")).code).toBe(0);
  });
});
