import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SYNAPSE_PATCHES } from "../../src/steps/watcher/paths.ts";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import {
  deregister,
  eventually,
  listChildren,
  mustRun,
  register,
  startBackend,
  zookeeper,
} from "./backends.ts";
import { configuredServers, liveServers } from "./haproxy.ts";
import { countAnswers } from "./http.ts";
import { type Ended, inventoryFor, meshctl, oneHost, openRows } from "./meshctl.ts";

const SERVICE = "user-api";
const PATH = `/services/${SERVICE}`;
const ORDERS = "/services/order-api";
const PORT = 8080;
const BACKEND_PORT = 9001;
/** What `haproxy -c` calls valid, and no HAProxy starts with. */
const UNSTARTABLE = "source 0.0.0.0 usesrc clientip";

const PLAYBOOK = `
version: 1
plays:
  - { hosts: zookeeper, steps: { zookeeper: {} } }
  - { hosts: proxies, steps: { haproxy: {}, watcher: {} } }
`;

let lab: Lab;
let host: LabHost;
let arguments_: readonly string[];
/** Every option that this lab's inventory allows a backend of order-api. */
const ORDER_OPTIONS = "[ssl, verify none, source *, usesrc *]";

beforeAll(async () => {
  lab = await startLab({ hosts: 1 });
  host = lab.hosts[0]!;
  const network = `${host.address.replace(/\d+$/, "0")}/24`;
  const inventory = await inventoryFor(lab, (yaml) =>
    oneHost(yaml)
      .replace("  services:\n", `  networks: [${network}]\n  services:\n`)
      .replace("port: 8081\n", `port: 8081\n      server_options_allowed: ${ORDER_OPTIONS}\n`)
      // Few files are left for checks.
      .replace("maxconn: 9000", "maxconn: 9900"),
  );
  const playbook = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "playbook.yaml");
  await writeFile(playbook, PLAYBOOK);
  arguments_ = ["-i", inventory, "-p", playbook, "--json"];
  expect(openRows(await meshctl(["provision", "--yes", ...arguments_]))).toEqual([]);
  await startBackend(host, "alpha", BACKEND_PORT);
  await registerBackend("alpha");
  await untilServed(["alpha"]);
});

// What a test that fails leaves must not fail the next one.
afterEach(async () => {
  for (const path of [PATH, ORDERS]) {
    const names = (await listChildren(host, path)).filter((name) => path !== PATH || name !== "alpha");
    await zookeeper(
      host,
      names.map((name) => `delete ${path}/${name}`),
    );
  }
});

afterAll(() => lab?.down());

const verify = (): Promise<Ended> => meshctl(["verify", ...arguments_]);
const result = (kind: string) => mustRun(host, `cat /run/meshctl/haproxy-${kind}`);

function registerBackend(name: string, more = {}, path = PATH): Promise<void> {
  return register(host, path, { name, host, port: BACKEND_PORT, more });
}

/** Names of what HAProxy would send requests to, without their addresses. */
async function served(service = SERVICE): Promise<string> {
  return (await liveServers(host, service))
    .map((server) => server.split("_")[0])
    .sort()
    .join(" ");
}

async function untilServed(names: readonly string[], service = SERVICE): Promise<void> {
  await eventually(
    `${service}: ${names.join(" ") || "none"} served`,
    () => served(service),
    (now) => now === names.join(" "),
    90_000,
  );
}

async function untilProven(): Promise<void> {
  await eventually(
    "every setting is proven",
    async () => openRows(await verify()),
    (open) => open.length === 0,
    120_000,
  );
}

async function warningOf(service = SERVICE): Promise<string> {
  const { events } = await verify();
  return String(events.find(({ setting }) => setting === `service ${service}`)?.warning);
}

/** HAProxy stops and starts with what is on disk, as after a reboot. */
async function restartHaproxy(): Promise<void> {
  await mustRun(host, "systemctl reset-failed haproxy; systemctl restart haproxy");
  expect((await countAnswers(host, PORT, 4)).size).toBeGreaterThan(0);
}

describe("a znode that HAProxy could not start with", () => {
  it("is left out and named, and nobody else is held up by it", async () => {
    await registerBackend("evil", { port: 9, haproxy_server_options: UNSTARTABLE });
    await registerBackend("beta");
    await untilServed(["alpha", "beta"]);
    expect(await mustRun(host, "cat /etc/haproxy/haproxy.cfg")).not.toContain("usesrc");
    await restartHaproxy();
    expect(await served()).toBe("alpha beta");
    expect(await warningOf()).toContain('evil (option "source" is not allowed) in /services/user-api');
    const status = await meshctl(["status", ...arguments_]);
    expect(status.code).toBe(2);
    const problems = status.events.filter(
      ({ event, service }) => event === "problem" && service !== "order-api",
    );
    expect(problems).toEqual([
      expect.objectContaining({ kind: "left-out", evidence: 'evil: option "source" is not allowed' }),
    ]);
    await deregister(host, PATH, "evil");
    await deregister(host, PATH, "beta");
    await untilServed(["alpha"]);
    await untilProven();
  });

  it("is left out whatever it says, while others come and go", async () => {
    const bad: Record<string, object> = {
      quote: { haproxy_server_options: 'weight 1 "' },
      long: { haproxy_server_options: `weight 1${" ".repeat(3000)}backup` },
      many: { haproxy_server_options: "backup ".repeat(70) },
      id: { haproxy_server_options: "id 1" },
      agent: { haproxy_server_options: "agent-check agent-port 9 agent-addr 169.254.169.254" },
      crt: { haproxy_server_options: "ssl crt /dev/zero" },
      resolvers: { haproxy_server_options: "resolvers x" },
      weight: { haproxy_server_options: "weight 999" },
      loopback: { host: "127.0.0.1" },
      mapped: { host: "::ffff:127.0.0.1" },
      six: { host: "::1" },
      link: { host: "169.254.169.254" },
      elsewhere: { host: "203.0.113.1" },
      disguised: { host: "127.1" },
      socket: { host: "unix@/run/haproxy/admin.sock" },
      name: { name: "x".repeat(900) },
    };
    for (const [name, more] of Object.entries(bad)) await registerBackend(name, more);
    await registerBackend("local", { host: "localhost" });
    await registerBackend("beta", { haproxy_server_options: "weight 5 maxconn 100" });
    await untilServed(["alpha", "beta"]);
    await deregister(host, PATH, "beta");
    await untilServed(["alpha"]);
    // HAProxy hears of it first, and the file is installed after.
    await eventually(
      "haproxy.cfg has alpha alone",
      () => configuredServers(host),
      (servers) => servers.join() === `alpha_${host.address}:${BACKEND_PORT}`,
    );
    const warning = await warningOf();
    expect(warning).toMatch(/left out of HAProxy: .* and \d+ more/);
    const rows = openRows(await verify());
    expect(rows).toEqual([
      expect.stringMatching(
        /service user-api: different: local_localhost:9001: the name leads where no backend may be/,
      ),
    ]);
    for (const name of [...Object.keys(bad), "local"]) await deregister(host, PATH, name);
    await untilProven();
  });

  it("that asks to be disabled is in HAProxy and gets no request", async () => {
    await registerBackend("beta", { haproxy_server_options: "disabled" });
    await registerBackend("gamma");
    await untilServed(["alpha", "gamma"]);
    expect(await mustRun(host, "grep -c 'server beta_.* check .*disabled$' /etc/haproxy/haproxy.cfg")).toBe(
      "1\n",
    );
    await deregister(host, PATH, "gamma");
    await untilServed(["alpha"]);
    await untilProven();
    await deregister(host, PATH, "beta");
  });
});

describe("more znodes than HAProxy can start with", () => {
  it("are left out as far as they are too many, and those that it has are served on", async () => {
    const names = Array.from({ length: 400 }, (_, at) => `flood-${at}`);
    const data = (at: number) =>
      JSON.stringify({ host: host.address, port: 20_000 + at, name: `flood-${at}` });
    await zookeeper(
      host,
      names.map((name, at) => `create ${PATH}/${name} '${data(at)}'`),
    );
    await eventually(
      "the flood is in haproxy.cfg as far as it may be",
      () => result("install"),
      (line) => /^ok\t.*installed without .*HAProxy does not start with so many/.test(line),
      120_000,
    );
    const servers = await configuredServers(host);
    expect(servers).toContain(`alpha_${host.address}:${BACKEND_PORT}`);
    expect(servers.length).toBeGreaterThan(20);
    await restartHaproxy();
    expect(await served()).toMatch(/^alpha\b/);
    expect(openRows(await verify())).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /service user-api: different: flood-.* and \d+ more: HAProxy does not take the server/,
        ),
      ]),
    );
    await zookeeper(
      host,
      names.map((name) => `delete ${PATH}/${name}`),
    );
    await untilServed(["alpha"]);
    await untilProven();
  });
});

describe("an option that the inventory allows", () => {
  it("is served, as its words are", async () => {
    await registerBackend("alpha", { haproxy_server_options: "ssl verify none weight 3" }, ORDERS);
    await untilServed(["alpha"], "order-api");
    await untilProven();
  });

  it("and HAProxy cannot start with, is found by trying and holds up nobody else", async () => {
    await registerBackend("evil", { haproxy_server_options: UNSTARTABLE }, ORDERS);
    await registerBackend("beta", {}, ORDERS);
    await untilServed(["beta"], "order-api");
    // A master that loads anew is without a listener for a moment.
    await eventually(
      "the server alone is named",
      async () => openRows(await verify()),
      (rows) =>
        rows.length === 1 &&
        /service order-api: different: evil_.*: HAProxy does not take the server, .*; it was /.test(rows[0]!),
      60_000,
    );
    expect(await result("install")).toMatch(/^ok\t.*order-api\/evil_.*=refused/);
    await restartHaproxy();
    await deregister(host, ORDERS, "evil");
    await deregister(host, ORDERS, "beta");
    await untilProven();
  });
});

describe("the installer", () => {
  const candidate = "/var/lib/meshctl-watcher/haproxy.cfg";
  const asWatcher = "setpriv --reuid=meshctl-watcher --regid=meshctl-watcher --clear-groups --";
  const untilFailed = (words: string) =>
    eventually(
      `the installation failed: ${words}`,
      () => result("install"),
      (line) => line.startsWith("failed\t") && line.includes(words),
      90_000,
    );
  const untilInstalled = () =>
    eventually(
      "a candidate is installed",
      () => result("install"),
      (line) => line.startsWith("ok\t"),
      90_000,
    );

  it.each([
    [`ln -s /dev/zero ${candidate}`, "it is a link"],
    [`ln -s /etc/shadow ${candidate}`, "it is a link"],
    [`mkfifo ${candidate}`, "it is no regular file"],
    [`mkdir ${candidate}`, "it is no regular file"],
    [
      `sh -c 'head -c 9000000 /dev/zero >${candidate}.x && mv ${candidate}.x ${candidate}'`,
      "it is larger than",
    ],
  ])("does not take %s", async (make, words) => {
    const before = await mustRun(host, "sha256sum /etc/haproxy/haproxy.cfg");
    await mustRun(host, `${asWatcher} ${make}`);
    await untilFailed(words);
    await eventually(
      "nothing is left to take",
      () => host.exec(`ls -d ${candidate} ${candidate}.taken`),
      ({ stdout }) => stdout === "",
    );
    expect(await mustRun(host, "sha256sum /etc/haproxy/haproxy.cfg")).toBe(before);
    await mustRun(host, "systemctl restart meshctl-watcher");
    await untilInstalled();
  });

  it("keeps the manifest when the disk is full, and says that nothing was recorded", async () => {
    const manifest = "/var/lib/meshctl/manifest";
    const lines = () => mustRun(host, `grep -c . ${manifest}`);
    const before = await lines();
    await mustRun(
      host,
      `mkdir -p /mnt/full && mount -t tmpfs -o size=32k,mode=0700 tmpfs /mnt/full && cp ${manifest} /mnt/full/ &&
       sed -i 's|^[0-9a-f]*\\(  /etc/haproxy/haproxy.cfg\\)$|0\\1|' /mnt/full/manifest && : >/mnt/full/manifest.lock &&
       mount --bind /mnt/full /var/lib/meshctl; cat /dev/zero >/mnt/full/filler 2>/dev/null; true`,
    );
    await mustRun(host, "systemctl restart meshctl-watcher");
    await untilFailed("could not be recorded");
    expect(await lines()).toBe(before);
    await mustRun(host, "umount /var/lib/meshctl && umount /mnt/full && systemctl restart meshctl-watcher");
    await untilInstalled();
    await untilProven();
  });
});

describe("a mesh that was poisoned before", () => {
  const STATE = "/var/lib/meshctl-watcher";

  /** As a meshctl without the policy left it: a file that no HAProxy starts with, and a Synapse that writes it again. */
  async function poison(): Promise<void> {
    const evil = { name: "evil", host: host.address, port: 9, haproxy_server_options: UNSTARTABLE };
    const kept = { [SERVICE]: { path: PATH, backends: [evil] } };
    await mustRun(host, "systemctl stop meshctl-watcher meshctl-haproxy-install.path");
    await zookeeper(host, [`delete ${PATH}/alpha`]);
    await mustRun(host, `cat >${STATE}/backends.json`, JSON.stringify(kept));
    await mustRun(
      host,
      `perl -0pi -e 's/"user-api": \\{/"user-api": {"evil_${host.address}:9": $ENV{EVIL},/' ${STATE}/state.json`.replace(
        "perl",
        `EVIL='${JSON.stringify({ ...evil, timestamp: Math.floor(Date.now() / 1000), haproxy_server_id: 1 })}' perl`,
      ),
    );
    await mustRun(
      host,
      `sed -i 's/^\\tserver alpha_\\(.*\\)$/&\\n\\tserver evil_${host.address}:9 ${host.address}:9 id 77 cookie evil_${host.address}:9 '"$(sed -n 's/^\\tserver alpha_.*:9001 \\(check.*mark-down\\).*/\\1/p' /etc/haproxy/haproxy.cfg | head -n 1)"' ${UNSTARTABLE}/' /etc/haproxy/haproxy.cfg`,
    );
    await mustRun(host, "haproxy -c -q -f /etc/haproxy/haproxy.cfg");
    // An older meshctl knows no policy.
    await mustRun(
      host,
      `rm /etc/meshctl/backend-policy.json /opt/meshctl/watcher/backend-policy.rb && echo >${SYNAPSE_PATCHES} && sha256sum ${SYNAPSE_PATCHES} >>/var/lib/meshctl/manifest`,
    );
  }

  it("and whose HAProxy is down is healed by the next provision", async () => {
    await poison();
    await host.exec("systemctl restart haproxy");
    await eventually(
      "HAProxy is down",
      () => host.exec("systemctl is-active haproxy"),
      ({ stdout }) => !["active", "reloading"].includes(stdout.trim()),
    );
    // While systemd tries it again and again what it is like changes as it is read: somebody has put an end to that.
    await mustRun(host, "systemctl stop haproxy", undefined, { timeoutMs: 180_000 });
    expect((await verify()).code).toBe(2);
    const ended = await meshctl(["provision", "--yes", ...arguments_]);
    expect(openRows(ended)).toEqual([]);
    expect(await mustRun(host, `cat /etc/haproxy/haproxy.cfg`)).not.toContain("usesrc");
    await registerBackend("alpha");
    await untilServed(["alpha"]);
    await restartHaproxy();
    await untilProven();
  });

  it("and whose HAProxy still runs is healed without losing a request", async () => {
    await poison();
    await host.exec("systemctl reload haproxy");
    await registerBackend("alpha");
    expect(openRows(await meshctl(["provision", "--yes", ...arguments_]))).toEqual([]);
    expect(await mustRun(host, `cat /etc/haproxy/haproxy.cfg`)).not.toContain("usesrc");
    await untilServed(["alpha"]);
    await restartHaproxy();
    await untilProven();
  });
});
