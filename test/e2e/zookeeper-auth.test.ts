import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { type LoadedRequest, startLoad } from "../lab/open-loop.ts";
import { eventually, listChildren, mustRun, startBackend, zookeeper } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { liveServers } from "./haproxy.ts";
import { type Ended, inventoryFor, meshctl, openRows, summaryOf } from "./meshctl.ts";
import { fitRelease, releaseOfRun } from "./releases.ts";
import { exposedUnits } from "./sandbox.ts";

const suite = releaseOfRun();
const PATH = "/services/user-api";
const PASSWORD = "correct-horse-battery-staple";
const CREDENTIALS = "/etc/meshctl/zookeeper-auth";
const ACCOUNT = `addauth digest meshctl:${PASSWORD}`;

let lab: Lab;
let first: LabHost;
let second: LabHost;
/** The mesh with two registrars, without an account and with one. */
let open: string;
let closed: string;

beforeAll(async () => {
  lab = await convergedLab({ suite, edit: (yaml) => fitRelease(suite, yaml) });
  [first, second] = lab.hosts as [LabHost, LabHost, LabHost];
  open = await inventoryFor(lab, twoBackends);
  closed = await inventoryFor(lab, (yaml) =>
    twoBackends(yaml).replace(
      "  services:\n",
      "  zookeeper: { auth: { password: !env ZK_PASSWORD } }\n  services:\n",
    ),
  );
  await startBackend(first, "first", 9000);
  await startBackend(second, "second", 9000);
  expect(openRows(await run("provision", open))).toEqual([]);
  await untilBothServed();
});

afterAll(() => lab?.down());

/**
 * The demo's inventory with two proxies, each with a server of user-api, and no database. A machine that is short of CPU
 * fails the checks of fail_fast: here it is tried what registering anew costs.
 */
function twoBackends(yaml: string): string {
  const backends = `
  backends:
    hosts: [kvm-01, kvm-02]
    registrar:
      services:
        user-api: { port: 9000, check: { inter: 200ms, timeout: 500ms } }
`;
  return fitRelease(suite, yaml)
    .replace("port: 8080\n", "port: 8080\n      fail_fast: false\n")
    .replace(/^ {2}databases:\n(?: {4}.*\n)*/m, "")
    .replace(/(proxies:\n {4}hosts: )\[.*\]/, "$1[kvm-01, kvm-02]")
    .trimEnd()
    .concat("\n", backends);
}

async function run(command: string, inventory: string, ...more: readonly string[]): Promise<Ended> {
  const yes = command === "provision" ? ["--yes"] : [];
  const ended = await meshctl([command, "-i", inventory, "--json", ...yes, ...more], {
    env: { ZK_PASSWORD: PASSWORD },
  });
  expect(ended.stdout + ended.stderr).not.toContain(PASSWORD);
  return ended;
}

async function untilBothServed(): Promise<void> {
  for (const proxy of [first, second])
    await eventually(
      `both servers on ${proxy.name}`,
      () => liveServers(proxy, "user-api"),
      (servers) => servers.length === 2,
      90_000,
    );
}

/** Runs meshctl while requests go through both proxies, and returns those that were not answered. */
async function underLoad(
  work: () => Promise<Ended>,
): Promise<{ ended: Ended; lost: readonly LoadedRequest[] }> {
  const requests: LoadedRequest[] = [];
  let isOver = false;
  const loads = [first, second].map(async (proxy) => {
    while (!isOver) {
      const load = await startLoad(proxy, { port: 8080, perSecond: 20, durationMs: 5_000 });
      requests.push(...(await load.ended));
    }
  });
  try {
    const ended = await work();
    return { ended, lost: await over() };
  } finally {
    isOver = true;
    await Promise.all(loads);
  }
  async function over() {
    isOver = true;
    await Promise.all(loads);
    expect(requests.length).toBeGreaterThan(100);
    return requests.filter(({ status }) => status !== 200);
  }
}

/** What each proxy said of the service's servers, for the message of a test that fails. */
async function saidOfServers(): Promise<string> {
  const lines = (proxy: LabHost) =>
    mustRun(
      proxy,
      "journalctl -u haproxy -o short-iso-precise --no-pager | grep -E 'Server user-api|no server|503 ' | head -n 60 || true",
    );
  return (await Promise.all([first, second].map(lines))).join("\n---\n");
}

const changedOf = (ended: Ended) =>
  summaryOf(ended).hosts.flatMap(({ changed }) => changed.map(({ change }) => change));
/** An account's entry before that of others: ZooKeeper 3.4 keeps it last. */
const acl = async (path: string) =>
  (await zookeeper(first, [`getAcl ${path}`])).match(/^'.*\n: .*$/gm)?.toSorted();
const OTHERS_READ = [expect.stringMatching(/^'digest,'meshctl:x\n: cdrwa$/), "'world,'anyone\n: r"];

describe("a mesh that gets an account for ZooKeeper", () => {
  it("is told what will be done, and that the paths are closed last", async () => {
    const ended = await run("plan", closed);
    const changes = ended.events.filter(({ event, step }) => event === "planned" && step === "registrar");
    expect(changes.map(({ change }) => change)).toEqual(
      [first, second].flatMap(() => ["configuration", "close the paths"]),
    );
  });

  it("moves to it without losing a request", async () => {
    const { ended, lost } = await underLoad(() => run("provision", closed));
    expect(openRows(ended)).toEqual([]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(lost, await saidOfServers()).toEqual([]);
    await untilBothServed();
  });

  it("is proven, by the access lists of paths and nodes", async () => {
    const ended = await run("verify", closed);
    expect(openRows(ended)).toEqual([]);
    const rows = ended.events.filter(({ setting }) => String(setting).startsWith("ACL of"));
    expect(rows.map(({ setting, verdict }) => [setting, verdict])).toEqual(
      [first, second].flatMap(() => [
        [`ACL of ${PATH}`, "proven"],
        [`ACL of nodes in ${PATH}`, "proven"],
      ]),
    );
    expect(await acl(PATH)).toEqual(OTHERS_READ);
    const nodes = await listChildren(first, PATH);
    expect(nodes).toHaveLength(2);
    for (const node of nodes) expect(await acl(`${PATH}/${node}`)).toEqual(OTHERS_READ);
  });

  it("keeps the password from who may not know it", async () => {
    for (const host of [first, second]) {
      expect(await mustRun(host, `stat -c '%a %U:%G' ${CREDENTIALS}`)).toBe("640 root:meshctl-registrar\n");
      const pid = (await mustRun(host, "systemctl show -p MainPID --value meshctl-registrar")).trim();
      expect(await mustRun(host, `cat /proc/${pid}/cmdline /proc/${pid}/environ`)).not.toContain(PASSWORD);
      expect(await mustRun(host, "journalctl -b --no-pager")).not.toContain(PASSWORD);
    }
    const recording = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "recording.json");
    await run("verify", closed, "--record", recording);
    const text = await readFile(recording, "utf8");
    expect(text).toContain("registry.acls");
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toMatch(/meshctl:[A-Za-z0-9+/]{27}=/);
  });

  it("has its units shut in", async () => {
    const units = ["zookeeper.service", "meshctl-watcher.service", "meshctl-registrar.service"];
    const said = await exposedUnits(first, [...units, "meshctl-haproxy-install.service"]);
    expect(said).toEqual([]);
  });

  it("changes nothing in a second run", async () => {
    const ended = await run("provision", closed);
    expect(ended.code).toBe(0);
    for (const { changed, execs } of summaryOf(ended).hosts)
      expect({ changed, execs }).toEqual({ changed: [], execs: 1 });
  });

  it("lets others read, and neither create nor change nor delete", async () => {
    const nodes = await listChildren(first, PATH);
    const [node] = nodes;
    const text = () => zookeeper(first, [`get ${PATH}/${node}`]);
    const before = /\{.*"port".*\}/.exec(await text())?.[0];
    expect(before).toContain("9000");
    await zookeeper(first, [
      `create ${PATH}/evil '{"host":"${second.address}","port":9}'`,
      `set ${PATH}/${node} '{}'`,
      `set ${PATH} x`,
      `delete ${PATH}/${node}`,
      `setAcl ${PATH} world:anyone:cdrwa`,
      `setAcl ${PATH}/${node} world:anyone:cdrwa`,
      `setAcl /services world:anyone:cdrwa`,
    ]);
    expect(await listChildren(first, PATH)).toEqual(nodes);
    expect(await text()).toContain(before);
    expect(openRows(await run("verify", closed))).toEqual([]);
  });

  it("is probed with a canary that has the account", async () => {
    const ended = await run("probe", closed, "user-api");
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  });

  it("registers again when a Nerve was killed, and when the ensemble was started again", async () => {
    await mustRun(second, "systemctl kill --signal=KILL meshctl-registrar");
    for (const host of lab.hosts) await mustRun(host, "systemctl restart zookeeper");
    await eventually(
      "all is proven",
      async () => openRows(await run("verify", closed)),
      (rows) => rows.length === 0,
    );
  });

  it("takes a host that was installed anew, whose account nobody knows of", async () => {
    await mustRun(second, `systemctl stop meshctl-registrar && rm ${CREDENTIALS}`);
    const rows = openRows(await run("verify", closed));
    expect(rows).toContainEqual(
      expect.stringMatching(/ACL of \/services\/user-api: .*this host has no account/),
    );
    const ended = await run("provision", closed);
    expect(openRows(ended)).toEqual([]);
    expect(changedOf(ended)).toEqual(["configuration"]);
    expect(await mustRun(second, "stat -c %a /run/meshctl/registrar-started")).toBe("600\n");
  });

  it("that was opened by hand is named with who came in, and closed again", async () => {
    await zookeeper(first, [
      ACCOUNT,
      `setAcl ${PATH} world:anyone:cdrwa`,
      `create ${PATH}/evil '{"host":"10.9.9.9","port":9}'`,
    ]);
    const rows = openRows(await run("verify", closed)).filter((row) => row.includes("ACL of"));
    expect(rows).toContainEqual(expect.stringMatching(/ACL of \/services\/user-api: .*anyone: all/));
    expect(rows).toContainEqual(expect.stringContaining(`${PATH}/evil: others may change it`));
    const held = await run("provision", closed);
    expect(held.code).not.toBe(0);
    expect(changedOf(held)).toEqual([]);
    await zookeeper(first, [`delete ${PATH}/evil`]);
    const ended = await run("provision", closed);
    expect(openRows(ended)).toEqual([]);
    expect(changedOf(ended)).toEqual(["close the paths"]);
    expect(await acl(PATH)).toEqual(OTHERS_READ);
  });
});

describe("a mesh that gives the account up", () => {
  it("is opened without losing a request, and the password is gone", async () => {
    const { ended, lost } = await underLoad(() => run("provision", open));
    expect(openRows(ended)).toEqual([]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(lost, await saidOfServers()).toEqual([]);
    for (const host of [first, second]) await mustRun(host, `! test -e ${CREDENTIALS}`);
    await untilBothServed();
    expect(await acl(PATH)).toEqual(["'world,'anyone\n: cdrwa"]);
    await zookeeper(first, [`create ${PATH}/other '{}'`]);
    expect(await listChildren(first, PATH)).toContain("other");
    await zookeeper(first, [`delete ${PATH}/other`]);
  });

  it("changes nothing in a second run", async () => {
    const ended = await run("provision", open);
    expect(ended.code).toBe(0);
    expect(changedOf(ended)).toEqual([]);
  });
});
