import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { prioritize, resultOf, startLoad } from "../lab/open-loop.ts";
import { deregister, eventually, killBackend, mustRun, register, startBackend } from "./backends.ts";
import { configuredServers, liveServers, serversOf, tellHaproxy } from "./haproxy.ts";
import { countAnswers, getThroughProxy } from "./http.ts";
import { type Ended, inventoryFor, meshctl, openRows, summaryOf } from "./meshctl.ts";

const SERVICE = "user-api";
const PATH = `/services/${SERVICE}`;
const PORT = 8080;
const BACKEND_PORT = 9001;

const PLAYBOOK = `
version: 1
plays:
  - { hosts: zookeeper, steps: { zookeeper: {} } }
  - { hosts: proxies, steps: { haproxy: {}, watcher: {} } }
`;

let lab: Lab;
let hosts: readonly LabHost[];
/** Where the backends alpha and beta are; the second one's Synapse is to serve none when none is registered. */
let one: LabHost;
let two: LabHost;
/** Its proxy is the one that is asked. */
let three: LabHost;
let arguments_: readonly string[];

beforeAll(async () => {
  lab = await startLab({ hosts: 3 });
  hosts = lab.hosts;
  [one, two, three] = hosts as [LabHost, LabHost, LabHost];
  const inventory = await inventoryFor(lab, (yaml) =>
    yaml.replace(/(kvm-02: \{.*)( \}\n)/, "$1, watcher: { when_empty: serve_none }$2"),
  );
  const playbook = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "playbook.yaml");
  await writeFile(playbook, PLAYBOOK);
  arguments_ = ["-i", inventory, "-p", playbook, "--json"];
  expect(openRows(await meshctl(["provision", "--yes", ...arguments_]))).toEqual([]);
  await startBackend(one, "alpha", BACKEND_PORT);
  await startBackend(two, "beta", BACKEND_PORT);
  await registerBackend("alpha", one);
  await registerBackend("beta", two);
  await untilServed(hosts, ["alpha", "beta"]);
});

afterAll(() => lab?.down());

const verify = (): Promise<Ended> => meshctl(["verify", ...arguments_]);

function registerBackend(name: string, host: Pick<LabHost, "address">, more = {}): Promise<void> {
  return register(three, PATH, { name, host, port: BACKEND_PORT, more });
}

/** Names of what HAProxy would send requests to, without their addresses. */
async function served(host: LabHost): Promise<string> {
  return (await liveServers(host, SERVICE))
    .map((server) => server.split("_")[0])
    .sort()
    .join(" ");
}

async function untilServed(on: readonly LabHost[], names: readonly string[]): Promise<void> {
  for (const host of on) {
    await eventually(
      `${host.name} serves ${names.join(" ") || "none"}`,
      () => served(host),
      (now) => now === names.join(" "),
      60_000,
    );
  }
}

async function untilProven(): Promise<void> {
  await eventually(
    "every setting is proven",
    async () => openRows(await verify()),
    (open) => open.length === 0,
    90_000,
  );
}

describe("under load", () => {
  const load = { port: PORT, perSecond: 100, durationMs: 6_000 };
  const timesDown = async () => (await serversOf(three, SERVICE)).map((server) => server.timesDown);

  const toggleFailing = async () => {
    await mustRun(one, "systemctl kill --signal=USR1 backend-alpha.service");
    await mustRun(two, "systemctl kill --signal=USR1 backend-beta.service");
  };

  beforeAll(async () => {
    await Promise.all(hosts.map(prioritize));
    await eventually(
      "both backends are up",
      () => serversOf(three, SERVICE),
      (servers) => servers.filter(({ status }) => status === "UP").length === 2,
    );
  });

  it("no request fails and no server leaves when an application answers 5 % with 500", async () => {
    const before = await timesDown();
    await toggleFailing();
    const result = resultOf(await (await startLoad(three, load)).ended, 0);
    await toggleFailing();
    expect(result.refused).toBeGreaterThan(0);
    expect(result.failed).toBe(0);
    expect(await timesDown()).toEqual(before);
  });

  it("no request that starts after a backend's death fails", async () => {
    const { ended } = await startLoad(three, load);
    await new Promise((resume) => setTimeout(resume, 2_000));
    await killBackend(one, "alpha");
    const deadAtMs = Date.now();
    const after = (await ended).filter(({ startedAtMs }) => startedAtMs >= deadAtMs);
    await startBackend(one, "alpha", BACKEND_PORT);
    expect(after.length).toBeGreaterThan(0);
    expect(after.filter(({ status }) => status !== 200)).toEqual([]);
  });
});

describe("Synapse", () => {
  it("cannot write haproxy.cfg, neither from within its unit nor by the file's mode", async () => {
    const pid = (await mustRun(three, "systemctl show --property=MainPID --value meshctl-watcher")).trim();
    const asItself = "setpriv --reuid=meshctl-watcher --regid=meshctl-watcher --init-groups";
    const write = `${asItself} sh -c 'echo >>/etc/haproxy/haproxy.cfg'`;
    const before = await mustRun(three, "sha256sum /etc/haproxy/haproxy.cfg");
    for (const script of [write, `nsenter --target=${pid} --mount -- ${write}`]) {
      expect((await three.exec(script)).code).not.toBe(0);
    }
    expect(await mustRun(three, "sha256sum /etc/haproxy/haproxy.cfg")).toBe(before);
    // That it was the right user, who may write somewhere.
    await mustRun(three, `nsenter --target=${pid} --mount -- ${asItself} test -w /var/lib/meshctl-watcher`);
  });

  it("goes on following while the installer takes its time", async () => {
    const dropIn = "/run/systemd/system/meshctl-haproxy-install.service.d";
    await mustRun(
      three,
      `mkdir ${dropIn} && printf '[Service]\\nExecStartPre=/bin/sleep 90\\n' >${dropIn}/slow.conf && systemctl daemon-reload`,
    );
    // A new server wants a reload, and with it the installer.
    await registerBackend("gamma", { address: "127.0.0.9" });
    const installer = () => three.exec("systemctl is-active meshctl-haproxy-install.service");
    await eventually("the installer is at it", installer, ({ stdout }) => stdout.trim() === "activating");
    await deregister(three, PATH, "beta");
    await untilServed([three], ["alpha"]);
    expect((await installer()).stdout.trim()).toBe("activating");
    await mustRun(
      three,
      `rm -r ${dropIn} && systemctl daemon-reload && systemctl kill --signal=KILL meshctl-haproxy-install.service`,
    );
    await untilServed([three], ["alpha", "gamma"]);
    await deregister(three, PATH, "gamma");
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
  });
});

describe("a registration that HAProxy cannot use", () => {
  it("by a name that does not resolve holds up nobody else, is named, and comes in once it resolves", async () => {
    await registerBackend("ghost", { address: "nowhere.invalid" });
    await registerBackend("gamma", { address: "127.0.0.9" });
    await untilServed(hosts, ["alpha", "beta", "gamma"]);
    const ended = await verify();
    expect(openRows(ended)).toEqual(
      hosts.map(({ name }) =>
        expect.stringMatching(
          `${name} watcher service user-api: different: ghost_nowhere.invalid:9001: the name does not resolve`,
        ),
      ),
    );
    const journal = "journalctl -u meshctl-haproxy-install -p warning..warning -o cat --no-pager";
    expect(await mustRun(three, journal)).toContain("ghost_nowhere.invalid");
    // As the timer does after a minute.
    await mustRun(
      three,
      "echo 127.0.0.9 nowhere.invalid >>/etc/hosts && systemctl start meshctl-haproxy-install.service",
    );
    await untilServed([three], ["alpha", "beta", "gamma", "ghost"]);
    await deregister(three, PATH, "ghost");
    await deregister(three, PATH, "gamma");
    await untilProven();
  });

  it("by its options never reaches HAProxy, and is what verify names first", async () => {
    const before = await mustRun(three, "sha256sum /etc/haproxy/haproxy.cfg");
    await registerBackend("bogus", { address: "127.0.0.9" }, { haproxy_server_options: "no-such-option" });
    await eventually(
      "the candidate is refused",
      () => mustRun(three, "cat /run/meshctl/haproxy-install"),
      (result) => result.startsWith("invalid"),
    );
    expect(await mustRun(three, "sha256sum /etc/haproxy/haproxy.cfg")).toBe(before);
    expect(await served(three)).toBe("alpha beta");
    const because = summaryOf(await verify()).hosts[2]!.because;
    expect(because).toMatch(/^watcher: Synapse's last candidate: .*no-such-option/);
    await deregister(three, PATH, "bogus");
    await untilProven();
  });
});

describe("what somebody does behind the watcher's back", () => {
  it("to a server over HAProxy's socket is not in force, and the words that take it back are told", async () => {
    const [alpha, beta] = (await liveServers(three, SERVICE)) as [string, string];
    await tellHaproxy(three, `set server ${SERVICE}/${alpha} state drain`);
    await tellHaproxy(three, `set server ${SERVICE}/${beta} weight 0`);
    const [row, ...others] = openRows(await verify());
    expect(others).toEqual([]);
    expect(row).toContain("kvm-03 watcher service user-api: not-in-force: changed by hand");
    const [, orders] = row!.split("to take it back: ");
    for (const order of orders!.split("; ")) await tellHaproxy(three, order);
    expect(openRows(await verify())).toEqual([]);
  });

  it("with a second HAProxy on the port is told from ours", async () => {
    const config = `defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\nlisten rogue\n bind 127.0.0.1:${PORT}\n`;
    await mustRun(three, "cat >/root/rogue.cfg", config);
    await mustRun(three, "systemd-run --quiet --collect --unit=rogue haproxy -db -f /root/rogue.cfg");
    const rogue = () => mustRun(three, "systemctl show --property=MainPID --value rogue");
    await eventually(
      "it listens",
      () => mustRun(three, `ss -Hltnp 'sport = :${PORT}'`),
      (listeners) => listeners.trim().split("\n").length > 1 || listeners.split("pid=").length > 2,
    );
    const pid = (await rogue()).trim();
    const rows = openRows(await verify());
    expect(rows).toEqual([
      expect.stringContaining(
        `kvm-03 haproxy ${SERVICE} front end: blocked: process ${pid}, a HAProxy that haproxy.service did not start`,
      ),
    ]);
    await mustRun(three, "systemctl stop rogue");
    expect(openRows(await verify())).toEqual([]);
  });
});

describe("the watcher survives", () => {
  const zookeeper = (verb: string) =>
    Promise.all(hosts.map((host) => mustRun(host, `systemctl ${verb} zookeeper`)));

  it("ZooKeeper's absence, whether it ran before or starts meanwhile, and nobody notices", async () => {
    await zookeeper("stop");
    await mustRun(three, "systemctl restart meshctl-watcher");
    expect((await countAnswers(three, PORT, 6)).size).toBe(2);
    // That it had time to fail.
    await eventually(
      "Synapse is tried again",
      () => mustRun(three, "systemctl show --property=NRestarts --value meshctl-watcher"),
      (restarts) => Number(restarts) > 0,
      60_000,
    );
    expect(await served(three)).toBe("alpha beta");
    expect(await configuredServers(three)).toHaveLength(2);
    await zookeeper("start");
    await eventually(
      "the ensemble takes a change",
      () =>
        deregister(three, PATH, "beta").then(
          () => "taken",
          (error: Error) => error.message,
        ),
      (answer) => answer === "taken",
      60_000,
    );
    await untilServed(hosts, ["alpha"]);
  });

  it("a session that expired while it hung", async () => {
    await mustRun(three, "systemctl kill --signal=STOP meshctl-watcher");
    await registerBackend("beta", two);
    await untilServed([one], ["alpha", "beta"]);
    // Synapse asks for ten seconds.
    await new Promise((resume) => setTimeout(resume, 15_000));
    await mustRun(three, "systemctl kill --signal=CONT meshctl-watcher");
    await untilServed([three], ["alpha", "beta"]);
  });

  it("the loss of all registrations, keeping the last or serving none as it is told to", async () => {
    await deregister(three, PATH, "alpha");
    await deregister(three, PATH, "beta");
    await untilServed([two], []);
    // The last one to be seen alone is what is kept.
    const kept = await served(three);
    expect(kept).not.toBe("");
    await mustRun(three, "systemctl restart meshctl-watcher && systemctl restart haproxy");
    await untilProven();
    expect(await served(three)).toBe(kept);
    expect(await getThroughProxy(three, PORT)).toMatch(/^(alpha|beta)$/);
    await registerBackend("alpha", one);
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
  });

  it("a power cut of a host, which others do not wait for and which comes back whole", async () => {
    await one.powerCut();
    await eventually(
      "beta alone answers",
      () => countAnswers(three, PORT, 4),
      (answers) => answers.get("beta") === 4,
    );
    await one.powerOn();
    await startBackend(one, "alpha", BACKEND_PORT);
    await untilProven();
    await eventually(
      "both answer again",
      () => countAnswers(one, PORT, 4),
      (answers) => answers.get("alpha") === 2 && answers.get("beta") === 2,
    );
  });
});
