import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { prioritize, resultOf, startLoad } from "../lab/open-loop.ts";
import { eventually, mustRun, register, startBackend } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { givenBack } from "./given-back.ts";
import { serversOf } from "./haproxy.ts";
import { type Ended, inventoryFor, meshctl, openRows, startMeshctl, summaryOf } from "./meshctl.ts";

const SERVICE = "user-api";

let lab: Lab;
let hosts: readonly LabHost[];

beforeAll(async () => {
  lab = await convergedLab();
  hosts = lab.hosts;
  for (const [index, name] of ["alpha", "beta"].entries()) {
    const host = hosts[index]!;
    await startBackend(host, name, 9001);
    await register(hosts[2]!, `/services/${SERVICE}`, { name, host, port: 9001 });
  }
  for (const host of hosts)
    await eventually(
      `${host.name} serves both`,
      () => serversOf(host, SERVICE),
      (servers) => servers.filter(({ status }) => status === "UP").length === 2,
    );
});

afterAll(() => lab?.down());

/** Timeouts are in Synapse's configuration, which reloads HAProxy; the heap is ZooKeeper's. All three services are concerned. */
const changed = (timeout: string, heap: string) => (yaml: string) =>
  yaml
    .replace("haproxy: { maxconn: 9000 }", `haproxy: { maxconn: 9000, timeout_server: ${timeout} }`)
    .replace("heap: 256M", `heap: ${heap}`);

/** Hosts on which a change of the step was begun and had not ended when another one's began. */
function together(ended: Ended, step: string): string[] {
  const underWay = new Set<string>();
  const found: string[] = [];
  for (const { event, host, ...rest } of ended.events) {
    if (rest.step !== step || typeof host !== "string") continue;
    if (event === "changing" && underWay.size > 0) found.push(`${[...underWay].join(", ")} and ${host}`);
    if (event === "changing") underWay.add(host);
    if (event === "changed" || event === "failed") underWay.delete(host);
  }
  return found;
}

describe("changes that disrupt services on three hosts", () => {
  it("are planned in waves", async () => {
    const inventory = await inventoryFor(lab, changed("6s", "300M"));
    const ended = await meshctl(["plan", "-i", inventory, "--json"]);
    const waves = ended.events.filter(({ event }) => event === "waves");
    expect(waves.map(({ step, waves: inTurn }) => [step, inTurn])).toEqual([
      ["watcher", [["kvm-01"], ["kvm-02"], ["kvm-03"]]],
    ]);
    const screen = await meshctl(["plan", "-i", inventory]);
    expect(screen.stdout).toContain(
      "watcher disrupts 3 hosts in 3 waves, each begun when the one before is proven:\n    1. kvm-01\n",
    );
  });

  it("are made on one host after the other, and cost no request through any proxy", async () => {
    await Promise.all(hosts.map(prioritize));
    const inventory = await inventoryFor(lab, changed("6s", "300M"));
    const running = startMeshctl(["provision", "-i", inventory, "--yes", "--json"]);
    const loads: { host: string; result: ReturnType<typeof resultOf> }[] = [];
    let isOver = false;
    const over = running.ended.then((ended) => {
      isOver = true;
      return ended;
    });
    while (!isOver) {
      const begun = await Promise.all(
        hosts.map(async (host) => ({
          host: host.name,
          load: await startLoad(host, { port: 8080, perSecond: 20, durationMs: 5_000 }),
        })),
      );
      for (const { host, load } of begun) loads.push({ host, result: resultOf(await load.ended, 0) });
    }
    const ended = await over;
    expect(openRows(ended)).toEqual([]);
    expect(summaryOf(ended).hosts.map(({ changed: made }) => made.map(({ step }) => step))).toEqual(
      Array(3).fill(["zookeeper", "watcher"]),
    );
    for (const step of ["zookeeper", "watcher"]) expect(together(ended, step)).toEqual([]);
    expect(loads.filter(({ result }) => result.failed > 0)).toEqual([]);
    expect(loads.length).toBeGreaterThan(hosts.length);
  });

  it("that fail on the first host touch no other, and end the run", async () => {
    const [first, ...others] = hosts as [LabHost, ...LabHost[]];
    const dropIn = "/etc/systemd/system/haproxy.service.d/broken-reload.conf";
    givenBack(async () => {
      await mustRun(first, `rm -f ${dropIn}; systemctl daemon-reload`);
      expect(openRows(await meshctl(["provision", "-i", inventory, "--yes", "--json"]))).toEqual([]);
    });
    await mustRun(
      first,
      `printf '[Service]\\nExecReload=\\nExecReload=/bin/false\\n' >${dropIn} && systemctl daemon-reload`,
    );
    const inventory = await inventoryFor(lab, changed("7s", "300M"));
    const files = () =>
      Promise.all(
        others.map((host) =>
          mustRun(host, "cat /etc/haproxy/haproxy.cfg /etc/synapse.conf.json 2>/dev/null; true"),
        ),
      );
    const before = await files();
    const ended = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    expect(ended.code).toBe(1);
    expect(await files()).toEqual(before);
    const [failed, ...left] = summaryOf(ended).hosts;
    expect(failed).toMatchObject({ host: "kvm-01", outcome: "failed", changed: [] });
    for (const host of left)
      expect(host).toMatchObject({
        outcome: "failed",
        because: "watcher: left as it is: kvm-01 failed, and no host may (max_fail)",
        changed: [],
        unproven: [],
      });
  });
});
