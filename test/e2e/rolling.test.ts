import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attachLab, type Lab, type LabHost } from "../lab/lab.ts";
import { type Load, type LoadedRequest, prioritize, startLoad } from "../lab/open-loop.ts";
import { eventually, mustRun, startBackend } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { serversOf } from "./haproxy.ts";
import {
  type Ended,
  inventoryFor,
  meshctl,
  openRows,
  registeredByAll,
  startMeshctl,
  summaryOf,
} from "./meshctl.ts";

// While it is written: three hosts that stay up, `npm run lab -- up 3 --name NAME`.
const kept = process.env.MESHCTL_ROLLING_LAB;

/** order-api of each host asks user-api through that host's own proxy: it is no good while that proxy is away. */
const [USERS, ORDERS] = [9000, 9002];

let lab: Lab;
let hosts: readonly LabHost[];
let first: LabHost;

beforeAll(async () => {
  lab = kept === undefined ? await convergedLab() : await attachLab(kept);
  hosts = lab.hosts;
  first = hosts[0]!;
  for (const host of hosts) {
    await startBackend(host, "users", USERS);
    await startBackend(host, "orders", ORDERS, { proxy: 8080 });
  }
  expect(openRows(await provision(await inventoryFor(lab, rolled({}))))).toEqual([]);
  await served();
  await Promise.all(hosts.map(prioritize));
});

afterAll(async () => {
  if (kept === undefined) await lab?.down();
});

interface Rolled {
  /** In Synapse's configuration: another one reloads HAProxy. */
  readonly timeout?: string;
  readonly heap?: string;
  /** Of Nerve's checks. */
  readonly inter?: string;
  readonly pool?: string;
}

function rolled({ timeout = "5s", heap = "256M", inter = "300ms", pool = "256M" }: Rolled) {
  return (yaml: string) =>
    registeredByAll(
      yaml
        .replace("haproxy: { maxconn: 9000 }", `haproxy: { maxconn: 9000, timeout_server: ${timeout} }`)
        .replace("heap: 256M", `heap: ${heap}`)
        .replace("buffer_pool_size: 256M", `buffer_pool_size: ${pool}`),
      `user-api: { port: ${USERS}, check: { inter: ${inter} } }`,
      `order-api: { port: ${ORDERS}, check: { inter: ${inter} } }`,
    );
}

const provision = (inventory: string) => meshctl(["provision", "-i", inventory, "--yes", "--json"]);

/** Waits until every proxy has every backend, and each is UP. */
async function served(): Promise<void> {
  for (const host of hosts)
    await eventually(
      `${host.name} serves all`,
      async () => [...(await serversOf(host, "user-api")), ...(await serversOf(host, "order-api"))],
      (servers) => servers.filter(({ status }) => status === "UP").length === 2 * hosts.length,
    );
}

interface Sent extends LoadedRequest {
  /** The host whose proxy was asked. */
  readonly proxy: string;
}

/** Requests of order-api through the proxies of these hosts, open loop, for as long as the work takes. */
async function loaded(on: readonly LabHost[], work: () => Promise<Ended>) {
  const loads: Load[] = [];
  for (const host of on) loads.push(await startLoad(host, { port: 8081, perSecond: 5, durationMs: 900_000 }));
  const ended = await work().finally(() => {
    for (const load of loads) load.stop();
  });
  const all = await Promise.all(
    loads.map(async ({ ended: requests }, index) =>
      (await requests).map((each): Sent => ({ ...each, proxy: on[index]!.name })),
    ),
  );
  const requests = all.flat();
  // That it was a stream through each of them.
  for (const { name } of on)
    expect(requests.filter(({ proxy }) => proxy === name).length).toBeGreaterThan(50);
  return { ended, lost: requests.filter(({ status }) => status !== 200) };
}

/** When a step's change of a host was begun and proven. */
function spanOf({ events }: Ended, step: string, host: string) {
  const at = (name: string) =>
    Date.parse(
      `${events.find((each) => each.event === name && each.step === step && each.host === host)!.ts}`,
    );
  return { fromMs: at("changing"), toMs: at("changed") };
}

/** What was done of a step in turn: "changing kvm-01", "drain kvm-01 out". */
const storyOf = ({ events }: Ended, step: string) =>
  events.flatMap((each) =>
    each.step === step && ["changing", "changed", "drain"].includes(each.event)
      ? [[each.event, each.host, ...(each.event === "drain" ? [each.is] : [])].join(" ")]
      : [],
  );
const drained = (host: string) => [
  `drain ${host} out`,
  `changing ${host}`,
  `changed ${host}`,
  `drain ${host} back`,
];

/** What only a restart of HAProxy mends: its master may open too few files for the workers to come. */
const limitHaproxy = (host: LabHost) =>
  mustRun(host, "prlimit --pid $(systemctl show -p MainPID --value haproxy) --nofile=1024:1024");

describe.sequential("a request stream through every proxy", () => {
  it("loses nothing while one provision restarts ZooKeeper, Synapse and Nerve and reloads HAProxy everywhere", async () => {
    const inventory = await inventoryFor(lab, rolled({ timeout: "6s", heap: "300M", inter: "400ms" }));
    const { ended, lost } = await loaded(hosts, () => provision(inventory));
    expect(openRows(ended)).toEqual([]);
    expect(summaryOf(ended).hosts.map(({ changed }) => changed.map(({ step }) => step))).toEqual(
      Array(3).fill(["zookeeper", "watcher", "registrar"]),
    );
    // None of it needs a drain.
    expect(ended.events.filter(({ event }) => event === "drain")).toEqual([]);
    expect(lost).toEqual([]);
  });

  it("loses only what a restarted HAProxy's own host sends it meanwhile, one host after the other", async () => {
    const edit = rolled({ timeout: "6s", heap: "300M", inter: "400ms", pool: "192M" });
    const inventory = await inventoryFor(lab, edit);
    await Promise.all(hosts.map(limitHaproxy));
    const plan = await meshctl(["plan", "-i", inventory]);
    for (const unit of ["haproxy", "mariadb"])
      expect(plan.stdout).toContain(
        `restarts ${unit}.service\n      the host's backends leave the mesh before, and come back after\n`,
      );
    expect(plan.stdout).toContain("clients on this host itself are refused by its proxy for about a second");

    const { ended, lost } = await loaded(hosts, () => provision(inventory));
    expect(openRows(ended)).toEqual([]);
    expect(storyOf(ended, "haproxy")).toEqual(hosts.flatMap(({ name }) => drained(name)));
    expect(storyOf(ended, "mysql")).toEqual(drained(hosts[2]!.name));
    const elsewhere = lost.filter(({ proxy, startedAtMs, status }) => {
      const { fromMs, toMs } = spanOf(ended, "haproxy", proxy);
      return status !== 0 || startedAtMs < fromMs || startedAtMs > toMs;
    });
    expect(elsewhere).toEqual([]);
    await served();
  });

  it("has the backends back that a run has taken out and that was killed, whoever comes next", async () => {
    const edit = rolled({ timeout: "6s", heap: "300M", inter: "400ms", pool: "192M" });
    const inventory = await inventoryFor(lab, edit);
    await limitHaproxy(first);
    const run = startMeshctl(["provision", "-i", inventory, "-l", first.name, "--yes", "--json"]);
    await run.event(({ event, is }) => event === "drain" && is === "out");
    run.signal("SIGKILL");
    await run.ended;
    const registrar = await mustRun(first, "systemctl is-active meshctl-registrar.service || true");
    expect(registrar).toBe("inactive\n");
    const named = openRows(await meshctl(["verify", "-i", inventory, "--json"]));
    expect(named).toContainEqual(
      expect.stringMatching(
        `${first.name} registrar meshctl-registrar.service: .*a run has stopped it for a while`,
      ),
    );
    // What the timer starts when its time has come.
    await mustRun(first, "systemctl is-active meshctl-undrain.timer");
    await mustRun(first, "systemctl start meshctl-undrain.service");
    await served();
    expect(openRows(await provision(inventory))).toEqual([]);
  });

  it("loses nothing through the others while one host is rebooted", async () => {
    const edit = rolled({ timeout: "6s", heap: "300M", inter: "400ms", pool: "192M" });
    const inventory = await inventoryFor(lab, edit);
    for (const [name, words] of [
      ["users", `${USERS} users ${first.address}`],
      ["orders", `${ORDERS} orders ${first.address} 8080`],
    ])
      await mustRun(
        first,
        `cd /etc/systemd/system && mkdir -p multi-user.target.wants &&
          printf '[Service]\\nExecStart=perl /root/backend.pl ${words}\\n' >backend-${name}.service &&
          ln -sf ../backend-${name}.service multi-user.target.wants/`,
      );
    const others = hosts.filter((host) => host !== first);
    const { ended, lost } = await loaded(others, () =>
      meshctl(["reboot", "-i", inventory, "-l", first.name, "--yes", "--json"], { timeoutMs: 540_000 }),
    );
    expect(openRows(ended)).toEqual([]);
    expect(ended.events).toContainEqual(
      expect.objectContaining({ event: "drain", host: first.name, is: "out" }),
    );
    expect(lost).toEqual([]);
  });
});
