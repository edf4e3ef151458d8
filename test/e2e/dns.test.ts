import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DNS_ASKER } from "../../src/steps/watcher/paths.ts";
import { DnsServer } from "../dns-server.ts";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, mustRun, startBackend } from "./backends.ts";
import { liveServers } from "./haproxy.ts";
import { countAnswers } from "./http.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows } from "./meshctl.ts";
import { letIn, releaseOfRun } from "./releases.ts";

const suite = releaseOfRun();
const SERVICE = "shop";
const NAME = "shop.example";
const PORT = 8080;
const BACKEND_PORT = 9001;

/** No ZooKeeper at all: what DNS tells needs none. */
const PLAYBOOK = `
version: 1
plays:
  - { hosts: proxies, steps: { haproxy: {}, watcher: {} } }
`;

let lab: Lab;
let host: LabHost;
/** The machine's own end of the lab's network. */
let nameserver: string;
let dns: DnsServer;
/** Backend → an address of the host of its own. */
let at: Readonly<Record<"alpha" | "beta" | "gamma", string>>;
let arguments_: readonly string[];

beforeAll(async () => {
  lab = await startLab({ hosts: 1, suite });
  host = lab.hosts[0]!;
  const address = (last: number) => host.address.replace(/\d+$/, `${last}`);
  nameserver = address(1);
  at = { alpha: address(101), beta: address(102), gamma: address(103) };
  for (const [name, own] of Object.entries(at)) {
    await mustRun(host, `ip address add ${own}/24 dev host0`);
    await startBackend(host, name, BACKEND_PORT, { address: own });
  }
  dns = await DnsServer.start(nameserver, 53);
  tell("alpha", "beta");
  const inventory = await inventoryFor(lab, (yaml) =>
    letIn(suite, oneHost(yaml))
      .replace("  ensemble: zookeeper\n", "")
      .replace(
        /\n {2}services:\n[\s\S]*?\n\n/,
        `
  services:
    ${SERVICE}:
      dns: { names: [${NAME}], port: ${BACKEND_PORT}, nameserver: ${nameserver}, interval: 1s }
      port: ${PORT}

`,
      ),
  );
  const playbook = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "playbook.yaml");
  await writeFile(playbook, PLAYBOOK);
  arguments_ = ["-i", inventory, "-p", playbook, "--json"];
  const ended = await meshctl(["provision", "--yes", ...arguments_]);
  expect(openRows(ended)).toEqual([]);
  expect(ended.code, ended.stderr).toBe(0);
});

// What a test that fails leaves must not fail the next one.
afterEach(async () => {
  tell("alpha", "beta");
  await untilServed("alpha", "beta");
});

afterAll(async () => {
  await dns?.end();
  await lab?.down();
});

const verify = (): Promise<Ended> => meshctl(["verify", ...arguments_]);

function tell(...names: readonly (keyof typeof at)[]): void {
  dns.zone.set(
    NAME,
    names.map((name) => at[name]),
  );
}

async function untilServed(...names: readonly (keyof typeof at)[]): Promise<void> {
  const wanted = names.map((name) => `${at[name]}:${BACKEND_PORT}`).join(" ");
  await eventually(
    `HAProxy has ${names.join(" ")}`,
    async () => (await liveServers(host, SERVICE)).sort().join(" "),
    (now) => now === wanted,
    120_000,
  );
}

async function untilAsked(more: number): Promise<void> {
  const before = dns.asked;
  await eventually(
    `${more} more questions`,
    async () => dns.asked,
    (asked) => asked >= before + more,
    120_000,
  );
}

const answering = async () => [...(await countAnswers(host, PORT, 12)).keys()].sort();
const rowOf = ({ events }: Ended) => events.find(({ setting }) => setting === `service ${SERVICE}`)!;
const restarts = () =>
  mustRun(host, "systemctl show --property=NRestarts,InvocationID --value meshctl-watcher");
/** What changes whenever HAProxy is loaded anew, or its file is written. */
const loaded = () =>
  mustRun(
    host,
    "systemctl show --property=MainPID --value haproxy; stat -c %Y.%i /run/meshctl/haproxy-reload /run/meshctl/haproxy-install /etc/haproxy/haproxy.cfg",
  );

describe("a service that DNS tells", () => {
  it("is served, proven, and left alone by a second provision", async () => {
    expect(await answering()).toEqual(["alpha", "beta"]);
    const ended = await verify();
    expect(ended.code, ended.stderr).toBe(0);
    expect(rowOf(ended)).toMatchObject({
      verdict: "proven",
      want: `${at.alpha}:${BACKEND_PORT}, ${at.beta}:${BACKEND_PORT}`,
    });
    const before = [await restarts(), await loaded()];
    const again = await meshctl(["provision", "--yes", ...arguments_]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.events.filter(({ event }) => event === "change")).toEqual([]);
    expect([await restarts(), await loaded()]).toEqual(before);
    const { stdout } = await meshctl(["status", ...arguments_.filter((each) => each !== "--json")]);
    expect(stdout).toContain(`DNS: ${NAME}:${BACKEND_PORT}`);
  });

  it("gains and loses servers as DNS does", async () => {
    tell("alpha", "beta", "gamma");
    await untilServed("alpha", "beta", "gamma");
    await eventually("gamma answers", answering, (names) => names.join() === "alpha,beta,gamma");
    expect(openRows(await verify())).toEqual([]);
    tell("gamma");
    // A look waits until Synapse has asked again.
    expect(openRows(await verify())).toEqual([]);
    await untilServed("gamma");
    expect(await answering()).toEqual(["gamma"]);
  });

  it("is loaded once however often its addresses come in another order", async () => {
    // What the test before has set in motion.
    await eventually(
      "nothing is loaded any more",
      async () => {
        const before = await loaded();
        await untilAsked(5);
        return (await loaded()) === before;
      },
      (isAtRest) => isAtRest,
    );
    const before = [await restarts(), await loaded()];
    await untilAsked(20);
    expect([await restarts(), await loaded()]).toEqual(before);
    expect(openRows(await verify())).toEqual([]);
  });

  it.each([
    ["has no such name", { code: 3 }, /shop\.example does not exist, says \S+ \(NXDOMAIN\)/],
    ["tells no address", [], /shop\.example has no address, says/],
    ["fails", { code: 2 }, /answers SERVFAIL for shop\.example/],
    ["does not answer", "silence", /does not answer for shop\.example/],
    ["sends to the host itself", ["127.0.0.1"], /no address of shop\.example may be a server/],
  ] as const)("keeps its servers while DNS %s, and says so", async (_, told, words) => {
    const before = await restarts();
    dns.zone.set(NAME, told);
    await untilAsked(4);
    expect(await answering()).toEqual(["alpha", "beta"]);
    const ended = await verify();
    expect(openRows(ended)).toEqual([expect.stringMatching(/^kvm-03 watcher service shop: unknown: /)]);
    expect(rowOf(ended)).toMatchObject({
      verdict: "unknown",
      because: expect.stringMatching(words),
    });
    expect(rowOf(ended).because).toContain("HAProxy keeps the servers that it has");
    expect(await restarts()).toBe(before);
  });

  it("keeps its servers when Synapse is started again while DNS is dead", async () => {
    dns.zone.set(NAME, "silence");
    await mustRun(host, "systemctl restart meshctl-watcher");
    await untilAsked(4);
    expect((await liveServers(host, SERVICE)).length).toBe(2);
    expect(await answering()).toEqual(["alpha", "beta"]);
    const { stdout } = await meshctl(["status", ...arguments_.filter((each) => each !== "--json")]);
    expect(stdout).toContain(`${SERVICE}: DNS does not tell its servers`);
    expect(stdout).toContain(`ssh kvm-03 ruby ${DNS_ASKER} ${nameserver} ${NAME}`);
  });

  it("has a server that is dead named by its check", async () => {
    await mustRun(host, "systemctl kill --signal=KILL backend-beta");
    await eventually(
      "beta is DOWN",
      verify,
      (ended) => /told by DNS, but DOWN by its health check: \S+\.102:9001/.test(`${rowOf(ended).warning}`),
      90_000,
    );
    await startBackend(host, "beta", BACKEND_PORT, { address: at.beta });
    await eventually("beta answers", answering, (names) => names.join() === "alpha,beta");
  });
});
