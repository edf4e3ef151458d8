import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Lab, LabHost } from "../lab/lab.ts";
import { eventually, killBackend, listChildren, mustRun, startBackend } from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { frozen, givenBack, stopped } from "./given-back.ts";
import { serversOf } from "./haproxy.ts";
import { countAnswers } from "./http.ts";
import { type Ended, inventoryFor, meshctl, openRows, summaryOf } from "./meshctl.ts";

const REGISTRAR = "meshctl-registrar.service";

let lab: Lab;
let inventory: string;
/** The proxies, and where the service runs. */
let first: LabHost;
let second: LabHost;

beforeAll(async () => {
  lab = await convergedLab();
  [first, second] = lab.hosts as [LabHost, LabHost, LabHost];
  inventory = await inventoryFor(lab, twoBackends);
});

afterAll(() => lab?.down());

/** The demo's inventory with two proxies, each with a server of user-api, and no database. */
function twoBackends(yaml: string): string {
  const backends = `
  backends:
    hosts: [kvm-01, kvm-02]
    registrar:
      services:
        user-api: { port: 9000, weight: 10, check: { inter: 200ms, timeout: 2s } }
`;
  return yaml
    .replace(/^ {2}databases:\n(?: {4}.*\n)*/m, "")
    .replace(/(proxies:\n {4}hosts: )\[.*\]/, "$1[kvm-01, kvm-02]")
    .trimEnd()
    .concat("\n", backends);
}

const run = (command: string, ...more: string[]) =>
  meshctl([command, "-i", inventory, "--json", ...(command === "provision" ? ["--yes"] : []), ...more]);

/** Which servers each watcher has brought into force for user-api, as "" while any row is open. */
function followed(ended: Ended): string {
  if (openRows(ended).length > 0) return "";
  const rows = ended.events.filter(
    ({ event, step, setting }) =>
      event === "evidence" && step === "watcher" && setting === "service user-api",
  );
  return rows.map(({ host, want }) => `${host}: ${want}`).join("; ");
}

/** "user-api" as Nerve names it on these hosts, by each of the two proxies. */
function served(...hosts: readonly LabHost[]): string {
  const servers = hosts.map(({ name, address }) => `${name}_${address}:9000`).join(", ");
  return [first, second].map(({ name }) => `${name}: ${servers}`).join("; ");
}

async function followsOnly(...hosts: readonly LabHost[]): Promise<void> {
  await eventually(
    "the proxies' servers",
    async () => followed(await run("verify")),
    (now) => now === served(...hosts),
    90_000,
  );
}

function registration(ended: Ended, host: LabHost) {
  return ended.events.find(
    ({ event, step, setting, host: name }) =>
      event === "evidence" && step === "registrar" && setting === "service user-api" && name === host.name,
  );
}

describe("a registrar", () => {
  it("is not put where its gems do not build, and the compiler's own words are told", async () => {
    const mend = givenBack(() => mustRun(first, "rm -f /usr/local/bin/patch"));
    await mustRun(
      first,
      "printf '#!/bin/sh\\necho no patch can be had >&2\\nexit 1\\n' >/usr/local/bin/patch && chmod 755 /usr/local/bin/patch",
    );
    const env = { XDG_CACHE_HOME: await mkdtemp(join(tmpdir(), "meshctl-store-")) };
    const ended = await meshctl(["provision", "-i", inventory, "--json", "--yes"], { env });
    await mend();
    expect(ended.code).not.toBe(0);
    const { output } = ended.events.find(({ event }) => event === "failed")!;
    expect(output).toContain("no patch can be had");
    expect(output).toContain("command failed! patch -p0");
    expect(summaryOf(ended).hosts[0]!.because).toContain(
      "zookeeper-1.5.5.gem did not build: it takes the packages ruby-dev, gcc",
    );
  });

  it("puts running services into the mesh, and every proxy serves them", async () => {
    await startBackend(first, "first", 9000);
    await startBackend(second, "second", 9000);
    const ended = await run("provision");
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    await followsOnly(first, second);
    for (const proxy of [first, second]) {
      expect([...(await countAnswers(proxy, 8080, 6)).keys()].sort()).toEqual(["first", "second"]);
    }
    expect(await mustRun(first, "grep -c ' check .* weight 10$' /etc/haproxy/haproxy.cfg")).toBe("2\n");
  });

  it("leaves all as it is in a second run", async () => {
    const invocations = () =>
      Promise.all(
        [first, second].map((host) => mustRun(host, `systemctl show -p InvocationID ${REGISTRAR}`)),
      );
    const before = await invocations();
    const ended = await run("provision");
    expect(ended.code).toBe(0);
    for (const { changed, execs } of summaryOf(ended).hosts)
      expect({ changed, execs }).toEqual({ changed: [], execs: 1 });
    expect(await invocations()).toEqual(before);
  });

  it("takes a service out whose health check fails, says so, and puts it back when it is well", async () => {
    const thaw = await frozen(second, "backend-second.service");
    await followsOnly(first);
    const sick = registration(await run("verify"), second);
    expect(sick).toMatchObject({ verdict: "proven", in_force: { value: "left out, not healthy" } });
    expect(sick!.warning).toContain("not healthy here, so it is not registered");
    await thaw();
    await followsOnly(first, second);
    // A check of a busy machine's may be late once.
    await eventually(
      "it is healthy",
      async () => registration(await run("verify"), second)!.in_force as { readonly value: string },
      ({ value }) => value === "registered",
    );
  });

  it("comes back by itself when ZooKeeper was away, and when it was killed", async () => {
    const ensemble = (verb: string) =>
      Promise.all(lab.hosts.map((host) => mustRun(host, `systemctl ${verb} zookeeper`)));
    const start = givenBack(() => ensemble("start"));
    await ensemble("stop");
    await start();
    await mustRun(second, `systemctl kill --signal=KILL ${REGISTRAR}`);
    await followsOnly(first, second);
    // The killed one's node stays until its session is given up.
    await eventually(
      "the service's nodes",
      () => listChildren(first, "/services/user-api"),
      (nodes) => nodes.length === 2 && nodes.some((node) => node.startsWith(second.name)),
      180_000,
    );
  });

  it("deregisters when it is stopped, before its session could time out", async () => {
    await stopped(second, REGISTRAR);
    // Not only when its session is given up, after ten seconds and more. A follower may be a moment behind.
    await eventually(
      "the service's nodes",
      () => listChildren(first, "/services/user-api"),
      (left) => left.length === 1 && !left[0]!.startsWith(second.name),
      5_000,
    );
    const log = await mustRun(second, `journalctl -o cat -u ${REGISTRAR} | tail -n 8`);
    expect(log).toContain("stopped user-api, clean shutdown? true");
    const down = await run("verify", "--steps", "registrar");
    expect(registration(down, second)).toMatchObject({
      verdict: "not-in-force",
      because: "Nerve does not run",
    });
    expect(down.code).toBe(2);
    await eventually(
      "the proxies' servers",
      async () => followed(await run("verify", "--steps", "watcher")),
      (now) => now === served(first),
      180_000,
    );
    expect((await run("provision")).code).toBe(0);
    await followsOnly(first, second);
  });
});

describe("several instances of a service on one host", () => {
  /** Two of user-api on the first host; one of user-admin on the second, at the same path, told apart by labels. */
  const severalInstances = (yaml: string) =>
    twoBackends(yaml)
      .replace(/^( {4}user-api:\n {6}path: (\S+)\n)/m, "$1      labels: { kind: api }\n")
      .replace(
        /^( {4}order-api:)/m,
        "    user-admin:\n      path: /services/user-api\n      port: 8082\n      labels: { kind: { not: api } }\n$1",
      )
      .replace(/^ {2}backends:\n[\s\S]*$/m, "")
      .replace(
        /^ {2}kvm-01: \{ (.*) \}$/m,
        "  kvm-01: { $1, registrar: { services: { user-api: [{ port: 9001, check: { inter: 200ms } }, " +
          "{ port: 9002, weight: 10, check: { inter: 200ms } }] } } }",
      )
      .replace(
        /^ {2}kvm-02: \{ (.*) \}$/m,
        "  kvm-02: { $1, registrar: { services: { user-admin: { port: 9003, labels: { kind: admin } } } } }",
      )
      .concat("  backends: [kvm-01, kvm-02]\n");

  const rowsOf = (ended: Ended, host: LabHost) =>
    Object.fromEntries(
      ended.events
        .filter(
          ({ event, step, setting, host: name }) =>
            event === "evidence" &&
            step === "registrar" &&
            `${setting}`.startsWith("service ") &&
            name === host.name,
        )
        .map(({ setting, verdict, in_force }) => [
          setting,
          `${verdict}: ${(in_force as { value: string }).value}`,
        ]),
    );
  const up = async (proxy: LabHost, service: string) =>
    (await serversOf(proxy, service))
      .filter(({ status }) => !status.startsWith("MAINT"))
      .map(({ name }) => name)
      .sort();

  it("are registered each, and picked by their labels from the path that two services share", async () => {
    inventory = await inventoryFor(lab, severalInstances);
    await startBackend(first, "one", 9001);
    await startBackend(first, "two", 9002);
    await startBackend(second, "admin", 9003);
    const ended = await run("provision");
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    const instances = [9001, 9002].map((port) => `${first.name}_${first.address}:${port}`);
    for (const proxy of [first, second]) {
      await eventually(
        "user-api",
        () => up(proxy, "user-api"),
        (now) => now.join() === instances.join(),
      );
      expect(await up(proxy, "user-admin")).toEqual([`${second.name}_${second.address}:9003`]);
      expect([...(await countAnswers(proxy, 8080, 20)).keys()].sort()).toEqual(["one", "two"]);
      expect([...(await countAnswers(proxy, 8082, 6)).keys()]).toEqual(["admin"]);
    }
    expect(await listChildren(first, "/services/user-api")).toHaveLength(3);
    expect(rowsOf(await run("verify"), first)).toEqual({
      "service user-api, port 9001": "proven: registered",
      "service user-api, port 9002": "proven: registered",
    });
  });

  it("are told apart when one dies: verify names it, and the other goes on serving", async () => {
    await killBackend(first, "two");
    await eventually(
      "the rows",
      async () => rowsOf(await run("verify", "--steps", "registrar"), first),
      (rows) => rows["service user-api, port 9002"] === "proven: left out, not healthy",
    );
    const left = await run("verify");
    expect(openRows(left)).toEqual([]);
    expect(rowsOf(left, first)["service user-api, port 9001"]).toBe("proven: registered");
    const warned = left.events.filter(({ step, warning }) => step === "registrar" && warning !== undefined);
    expect(warned).toMatchObject([{ host: first.name, setting: "service user-api, port 9002" }]);
    for (const proxy of [first, second]) {
      expect(await up(proxy, "user-api")).toEqual([`${first.name}_${first.address}:9001`]);
      expect([...(await countAnswers(proxy, 8080, 6)).entries()]).toEqual([["one", 6]]);
    }
  });

  it("are none of another service when their own has none left: its last are kept", async () => {
    await killBackend(second, "admin");
    await eventually(
      "the nodes",
      () => listChildren(first, "/services/user-api"),
      (nodes) => nodes.length === 1,
    );
    const ended = await run("verify");
    expect(openRows(ended)).toEqual([]);
    for (const proxy of [first, second])
      expect(await up(proxy, "user-admin")).toEqual([`${second.name}_${second.address}:9003`]);
  });
});
