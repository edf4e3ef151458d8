import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { eventually, mustRun, startBackend } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { serversOf } from "./haproxy.ts";
import { type Ended, inventoryFor, meshctl, openRows, registeredByAll, summaryOf } from "./meshctl.ts";

/** An instance of user-api that takes connections and answers nothing but errors. */
const BROKEN_PORT = 9005;

let lab: Lab;
let hosts: readonly LabHost[];
let first: LabHost;

beforeAll(async () => {
  lab = await convergedLab();
  hosts = lab.hosts;
  first = hosts[0]!;
  for (const host of hosts) await startBackend(host, "users", 9000);
  await startBackend(first, "orders", 9002);
  expect(openRows(await provision(await inventoryFor(lab, registered())))).toEqual([]);
  await served();
});

afterAll(() => lab?.down());

/** The demo's inventory with services that Nerve registers. */
function registered(users = "port: 9000") {
  return (yaml: string) =>
    registeredByAll(
      yaml
        .replace(
          "zookeeper: { id: 1 } }",
          `zookeeper: { id: 1 }, registrar: { services: { order-api: { port: 9002, check: { inter: 200ms } } } } }`,
        )
        .replace(/^ {2}databases:\n(?: {4}.*\n)*/m, ""),
      `user-api: { ${users}, check: { inter: 200ms, http: false } }`,
    );
}

const provision = (inventory: string) => meshctl(["provision", "-i", inventory, "--yes", "--json"]);

/** Waits until each proxy has all backends, and each is UP. */
async function served(): Promise<void> {
  const wanted = [
    ...hosts.map(({ name, address }) => `${name}_${address}:9000`),
    `${first.name}_${first.address}:9002`,
  ];
  for (const host of hosts)
    await eventually(
      `${host.name} serves all`,
      async () => [...(await serversOf(host, "user-api")), ...(await serversOf(host, "order-api"))],
      (servers) => {
        const up = servers.filter(({ status }) => status === "UP").map(({ name }) => name);
        return JSON.stringify(up.sort()) === JSON.stringify(wanted.sort());
      },
    );
}

const gatesOf = ({ events }: Ended) => events.filter(({ event }) => event === "gate");

describe("a change", () => {
  it("that is fine for its host and takes a backend down on the proxies ends after the first wave", async () => {
    // It takes connections, which is all that Nerve is told to ask for; HAProxy asks for an answer.
    await mustRun(
      first,
      `systemd-run --quiet --unit=backend-broken.service perl -MIO::Socket::INET -e '
        my $server = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Listen => 99, ReuseAddr => 1) or die;
        while (my $client = $server->accept) { sysread $client, my $asked, 4096; print $client "HTTP/1.0 503 No\r\n\r\n"; close $client }
      ' ${first.address} ${BROKEN_PORT}`,
    );
    await served();
    const files = () => Promise.all(hosts.map((host) => mustRun(host, "cat /etc/meshctl/nerve.conf.json")));
    const before = await files();
    const inventory = await inventoryFor(lab, registered(`port: ${BROKEN_PORT}`));
    const ended = await provision(inventory);

    expect(ended.code).toBe(1);
    const [gate, ...more] = gatesOf(ended);
    expect(more).toEqual([]);
    expect(gate).toMatchObject({ step: "registrar", wave: [first.name], is: "failed" });
    const what = `server ${first.name}_${first.address} of user-api`;
    for (const host of hosts)
      expect(gate!.worse).toContainEqual(
        expect.objectContaining({ host: host.name, step: "watcher", what, is: "bad" }),
      );
    const [failed, ...left] = summaryOf(ended).hosts;
    expect(failed).toMatchObject({
      host: first.name,
      outcome: "failed",
      // Its port is reserved before that.
      changed: [{ step: "sysctl" }],
      unproven: [{ step: "registrar", put_back: true }],
    });
    expect(failed!.because).toContain(`registrar: the mesh is worse than before this wave: ${what} is DOWN`);
    expect(left).toHaveLength(hosts.length - 1);
    for (const host of left) {
      expect(host).toMatchObject({ outcome: "failed", changed: [{ step: "sysctl" }], unproven: [] });
      expect(host.because).toContain(
        `left as it is: the mesh is worse since ${first.name} was changed: ${what}`,
      );
    }
    expect(ended.events).toContainEqual(
      expect.objectContaining({
        event: "note",
        text: "With the old configuration the mesh is as it was before the wave.",
      }),
    );
    expect(await files()).toEqual(before);
    await served();
  });
});
