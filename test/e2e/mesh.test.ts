import { readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { deregister, eventually, killBackend, mustRun, register, startBackend } from "./backends.ts";
import { countAnswers, getThroughProxy } from "./http.ts";
import { inventoryFor, meshctl, openRows, summaryOf } from "./meshctl.ts";

const PATH = "/services/user-api";
const PORT = 8080;

let lab: Lab;
let inventory: string;
let hosts: readonly LabHost[];

beforeAll(async () => {
  lab = await startLab({ hosts: 3 });
  hosts = lab.hosts;
  inventory = await inventoryFor(lab);
});

afterAll(() => lab?.down());

/** What would differ after a restart of any service: systemd gives every start a new id. */
async function invocations(host: LabHost): Promise<string> {
  const units = "haproxy zookeeper mariadb meshctl-watcher";
  return mustRun(host, `for unit in ${units}; do systemctl show --property=InvocationID "$unit"; done`);
}

describe("three bare hosts", () => {
  it("are told by plan what would change, and nothing changes", async () => {
    const before = await mustRun(hosts[0]!, "find /etc /opt /usr /var/lib -xdev -type f | sort | sha256sum");
    const ended = await meshctl(["plan", "-i", inventory, "--json"]);
    expect(ended.code).toBe(2);
    expect(ended.events.filter(({ event }) => event === "planned").length).toBeGreaterThan(6);
    expect(await mustRun(hosts[0]!, "find /etc /opt /usr /var/lib -xdev -type f | sort | sha256sum")).toBe(
      before,
    );
  });

  it("refuse to be changed without a yes that nobody can give", async () => {
    const ended = await meshctl(["provision", "-i", inventory]);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("--yes");
  });

  it("become a mesh, with every setting proven", async () => {
    // An empty store, so that Synapse's gems are really built here and pushed to the other hosts.
    const env = { XDG_CACHE_HOME: await mkdtemp(join(tmpdir(), "meshctl-store-")) };
    const ended = await meshctl(["provision", "-i", inventory, "--yes", "--json"], { env });
    expect(openRows(ended)).toEqual([]);
    expect(summaryOf(ended).hosts.map(({ outcome, because }) => because ?? outcome)).toEqual(
      Array(3).fill("as wanted"),
    );
    expect(ended.code).toBe(0);
  });

  it("have a compiler only where the gems were built", async () => {
    const compilers = await Promise.all(hosts.map((host) => host.exec("command -v gcc")));
    expect(compilers.map(({ code }) => code === 0)).toEqual([true, false, false]);
  });

  it("are left untouched by a second run, which needs one exec a host", async () => {
    const before = await Promise.all(hosts.map(invocations));
    const ended = await meshctl(["provision", "-i", inventory, "--yes", "--json"]);
    expect(ended.code).toBe(0);
    for (const { changed, execs } of summaryOf(ended).hosts) {
      expect(changed).toEqual([]);
      expect(execs).toBe(1);
    }
    expect(await Promise.all(hosts.map(invocations))).toEqual(before);
  });

  it.each(readdirSync(resolve(import.meta.dirname, "../../playbooks")))(
    "satisfy %s alone",
    async (playbook) => {
      const ended = await meshctl(["verify", "-i", inventory, "-p", join("playbooks", playbook), "--json"]);
      expect(openRows(ended)).toEqual([]);
      expect(ended.code).toBe(0);
    },
  );

  it("show a setting that was changed behind meshctl's back, and get it back", async () => {
    await mustRun(hosts[1]!, "echo 60 >/proc/sys/net/ipv4/tcp_fin_timeout");
    const drifted = await meshctl(["verify", "-i", inventory, "--json"]);
    expect(drifted.code).toBe(2);
    expect(openRows(drifted)).toEqual([
      expect.stringContaining("kvm-02 sysctl net.ipv4.tcp_fin_timeout: not-in-force"),
    ]);
    expect((await meshctl(["provision", "-i", inventory, "--yes", "--json"])).code).toBe(0);
    expect(await mustRun(hosts[1]!, "cat /proc/sys/net/ipv4/tcp_fin_timeout")).toBe("15\n");
  });
});

describe("the mesh", () => {
  const ask = () => getThroughProxy(hosts[2]!, PORT);

  it("sends requests to the backends that are registered", async () => {
    await startBackend(hosts[0]!, "alpha", 9001);
    await startBackend(hosts[1]!, "beta", 9001);
    await register(hosts[0]!, PATH, { name: "alpha", host: hosts[0]!, port: 9001 });
    await register(hosts[0]!, PATH, { name: "beta", host: hosts[1]!, port: 9001 });
    await eventually(
      "both backends answer",
      () => countAnswers(hosts[2]!, PORT, 6),
      (answers) => answers.get("alpha") === 3 && answers.get("beta") === 3,
    );
  });

  it("is as wanted with backends that live", async () => {
    const ended = await meshctl(["verify", "-i", inventory, "--json"]);
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
  });

  it("answers every request after a backend was killed", async () => {
    await killBackend(hosts[0]!, "alpha");
    const answers = await countAnswers(hosts[2]!, PORT, 20);
    expect([...answers]).toEqual([["beta", 20]]);
  });

  it("forgets a backend that is deregistered, also when HAProxy restarts", async () => {
    await deregister(hosts[0]!, PATH, "alpha");
    await startBackend(hosts[0]!, "alpha-again", 9001);
    // The port answers again, so only the registry keeps requests away from it.
    const servers = () => liveServers(hosts[2]!);
    await eventually("alpha leaves HAProxy", servers, (live) => live.length === 1);
    await eventually(
      "haproxy.cfg forgets alpha",
      () => configuredServers(hosts[2]!),
      (live) => live === 1,
    );
    await mustRun(hosts[2]!, "systemctl restart haproxy");
    await eventually("beta answers", ask, (body) => body === "beta");
    expect([...(await countAnswers(hosts[2]!, PORT, 10))]).toEqual([["beta", 10]]);
  });

  it("takes in a third backend", async () => {
    await startBackend(hosts[2]!, "gamma", 9002);
    await register(hosts[1]!, PATH, { name: "gamma", host: hosts[2]!, port: 9002 });
    await eventually(
      "gamma answers too",
      () => countAnswers(hosts[2]!, PORT, 6),
      (answers) => answers.get("gamma") === 3 && answers.get("beta") === 3,
    );
    const ended = await meshctl(["verify", "-i", inventory, "--json"]);
    expect(openRows(ended)).toEqual([]);
  });
});

describe("a host that cannot be reached", () => {
  it("is reported as such, and the others are read all the same", async () => {
    await mustRun(hosts[2]!, "systemctl stop ssh");
    const ended = await meshctl(["verify", "-i", inventory, "--json"]);
    await mustRun(hosts[2]!, "systemctl start ssh");
    expect(ended.code).toBe(5);
    expect(summaryOf(ended).hosts.map(({ outcome }) => outcome)[2]).toBe("unreachable");
  });
});

describe("after a reboot", () => {
  async function verifyUntilProven(): Promise<void> {
    await eventually(
      "every setting is proven again",
      async () => openRows(await meshctl(["verify", "-i", inventory, "--json"])),
      (open) => open.length === 0,
      90_000,
    );
    expect((await meshctl(["verify", "-i", inventory])).code).toBe(0);
  }

  it("of one host everything is as wanted without another provision", async () => {
    await hosts[0]!.reboot();
    await verifyUntilProven();
  });

  it("of all hosts everything is as wanted without another provision", async () => {
    await Promise.all(hosts.map((host) => host.reboot()));
    await verifyUntilProven();
  });
});

/** Servers of the service that HAProxy would send requests to. */
async function liveServers(host: LabHost): Promise<string[]> {
  const ask = `perl -MIO::Socket::UNIX -e '$s=IO::Socket::UNIX->new(Peer=>"/run/haproxy/admin.sock") or die; print $s "show stat\\n"; $s->shutdown(1); print while <$s>'`;
  const rows = (await mustRun(host, ask)).split("\n").map((line) => line.split(","));
  return rows
    .filter(
      ([backend, server, ...rest]) =>
        backend === "user-api" &&
        server !== "FRONTEND" &&
        server !== "BACKEND" &&
        !rest[15]!.startsWith("MAINT"),
    )
    .map(([, server]) => server!);
}

/** How many servers of the service a restart of HAProxy would begin with. */
async function configuredServers(host: LabHost): Promise<number> {
  const lines = (await mustRun(host, "cat /etc/haproxy/haproxy.cfg")).split("\n").map((line) => line.trim());
  return lines.filter(
    (line) => line.startsWith("server ") && line.includes(":900") && !line.endsWith("disabled"),
  ).length;
}
