import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { mustRun } from "./backends.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows, summaryOf } from "./meshctl.ts";

let lab: Lab;
let host: LabHost;
/** A relay to ZooKeeper's port on the host, and the keys of what is behind it. */
let relay: Server;
let port: number;
let knownHosts: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  // It is reached by way of ZooKeeper's port, and neither the inventory nor sshd knows of that.
  await mustRun(
    host,
    "systemd-run --quiet --unit=door --socket-property=ListenStream=2181 /lib/systemd/systemd-socket-proxyd 127.0.0.1:22",
  );
  relay = createServer((near) => {
    const far = connect({ host: host.address, port: 2181 });
    near.pipe(far).pipe(near);
    const end = () => [near, far].forEach((socket) => void socket.destroy());
    for (const socket of [near, far]) socket.on("error", end).on("close", end);
  });
  await new Promise<void>((listens) => relay.listen(0, "127.0.0.1", listens));
  port = (relay.address() as AddressInfo).port;
  const keys = (await readFile(lab.knownHostsFile, "utf8"))
    .split("\n")
    .filter((line) => line.startsWith(`${host.address},`))
    .map((line) => line.replace(/^\S+/, `[127.0.0.1]:${port}`));
  knownHosts = join(await mkdtemp(join(tmpdir(), "meshctl-undo-")), "known_hosts");
  await writeFile(knownHosts, `${keys.join("\n")}\n`);
});

afterAll(async () => {
  relay?.close();
  await lab?.down();
});

const settings = (firewall: string) =>
  inventoryFor(lab, (yaml) =>
    oneHost(yaml)
      .replace("  ensemble: zookeeper", `  ensemble: zookeeper\n  firewall: ${firewall}`)
      .replace(/known_hosts: .*/, `known_hosts: ${knownHosts}`)
      .replace("zookeeper: { id: 3 }", `zookeeper: { id: 3 }, ssh: { host: 127.0.0.1, port: ${port} }`),
  );

const run = (file: string, ...command: string[]) =>
  meshctl([...command, "-i", file, "-p", "playbooks/firewall.yaml", "--json"]);

function expectProven(ended: Ended): void {
  expect(summaryOf(ended).hosts.map(({ because }) => because)).toEqual([undefined]);
  expect(openRows(ended)).toEqual([]);
  expect(ended.code).toBe(0);
}

const table = async () => (await host.exec("nft list table inet meshctl")).stdout;

function isOpen(): Promise<boolean> {
  return new Promise((told) => {
    const socket = connect({ host: host.address, port: 2181 });
    const end = (isOpen: boolean) => {
      socket.destroy();
      told(isOpen);
    };
    socket.setTimeout(10_000, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** Ends the session that the rules cut, as the next run tells its user to: its sshd may wait for hours. */
const endCutSession = () => mustRun(host, "read -r pid _ </run/meshctl/lock.holder && kill $pid");

describe.sequential("a host that its firewall would shut meshctl out of", () => {
  it("has no table again, and nothing on disk, when it had none", async () => {
    const ended = await run(await settings("true"), "provision", "--yes");
    expect(summaryOf(ended).hosts[0]!.because).toMatch(
      /^firewall: .*so it is not kept: the host takes it back by itself within 90 s/,
    );
    expect(ended.code).toBe(1);
    expect(await table()).toBe("");
    expect(await isOpen()).toBe(true);
    const left = await mustRun(
      host,
      "find /etc /run/meshctl -name '*firewall*'; systemctl --failed --no-legend",
    );
    expect(left).not.toMatch(/\/etc|failed/);
  });

  let first: string;
  it("has the table of before again when it had one, on disk as well", async () => {
    const open = await settings(`{ also: [${lab.gateway}] }`);
    await endCutSession();
    const confirmed = await run(open, "provision", "--yes");
    expectProven(confirmed);
    first = String(confirmed.events[0]!.run);
    const before = await table();
    const rules = await mustRun(host, "cat /etc/meshctl/firewall.nft");
    const ended = await run(await settings("true"), "provision", "--yes");
    expect(ended.code).toBe(1);
    expect(await table()).toBe(before);
    expect(await mustRun(host, "cat /etc/meshctl/firewall.nft")).toBe(rules);
    await endCutSession();
    const again = await run(open, "provision", "--yes");
    expectProven(again);
    expect(summaryOf(again).hosts[0]!.changed).toEqual([]);
  });

  it("is as before all of it when the run that brought the table is restored", async () => {
    const open = await settings(`{ also: [${lab.gateway}] }`);
    const restored = await run(open, "restore", first, "--yes");
    expect(restored.code).toBe(0);
    expect(await table()).toBe("");
    expect(await mustRun(host, "find /etc -name '*firewall*'; systemctl --failed --no-legend")).toBe("");
    expectProven(await run(await settings("false"), "verify"));
  });
});
