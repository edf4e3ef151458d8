import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backendPolicy } from "../../src/haproxy/backend-policy.ts";
import { haproxyParameters } from "../../src/haproxy/parameters.ts";
import { haproxySettings } from "../../src/haproxy/settings.ts";
import { backendOf, serverName } from "../../src/steps/watcher/backends.ts";
import { SYNAPSE_PATCHES } from "../../src/steps/watcher/paths.ts";
import { mesh, service } from "../haproxy/mesh.ts";
import type { Lab, LabHost } from "../lab/lab.ts";
import { prioritize, resultOf, startLoad } from "../lab/open-loop.ts";
import {
  deregister,
  eventually,
  killBackend,
  listChildren,
  mustRun,
  register,
  startBackend,
  zookeeper,
} from "./backends.ts";
import { convergedLab } from "./converged.ts";
import { frozen, givenBack } from "./given-back.ts";
import { configuredServers, liveServers, serversOf, tellHaproxy } from "./haproxy.ts";
import { countAnswers, getThroughProxy } from "./http.ts";
import { type Ended, inventoryFor, meshctl, openRows } from "./meshctl.ts";

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
/** An address of the lab that nobody has. */
let unused: Pick<LabHost, "address">;
let arguments_: readonly string[];

beforeAll(async () => {
  lab = await convergedLab();
  hosts = lab.hosts;
  [one, two, three] = hosts as [LabHost, LabHost, LabHost];
  unused = { address: one.address.replace(/\d+$/, "99") };
  const inventory = await inventoryFor(lab, (yaml) =>
    yaml.replace(/(kvm-02: \{.*)( \}\n)/, "$1, watcher: { when_empty: serve_none }$2"),
  );
  const playbook = join(await mkdtemp(join(tmpdir(), "meshctl-e2e-")), "playbook.yaml");
  await writeFile(playbook, PLAYBOOK);
  arguments_ = ["-i", inventory, "-p", playbook, "--json"];
  expect(openRows(await meshctl(["provision", "--yes", ...arguments_]))).toEqual([]);
  await begin();
});

afterAll(() => lab?.down());

// Each test begins with alpha and beta, also where the one before it failed on its way.
beforeEach(({ onTestFailed }) =>
  onTestFailed(async () => {
    for (const name of await listChildren(three, PATH)) await deregister(three, PATH, name);
    await meshctl(["provision", "--yes", ...arguments_]);
    await begin();
  }),
);

async function begin(): Promise<void> {
  await startBackend(one, "alpha", BACKEND_PORT);
  await startBackend(two, "beta", BACKEND_PORT);
  await registerBackend("alpha", one);
  await registerBackend("beta", two);
  await untilServed(hosts, ["alpha", "beta"]);
}

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
      180_000,
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
    const killedAtMs = await killBackend(one, "alpha");
    // What was under way then may fail: it may have been acted upon, and is sent nowhere else.
    const after = (await ended).filter(({ startedAtMs }) => startedAtMs >= killedAtMs);
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
    const installer = () => three.exec("systemctl is-active meshctl-haproxy-install.service");
    const hurry = givenBack(() =>
      mustRun(
        three,
        `rm -r ${dropIn} && systemctl daemon-reload && systemctl kill --signal=KILL meshctl-haproxy-install.service`,
      ),
    );
    await mustRun(
      three,
      `mkdir ${dropIn} && printf '[Service]\\nExecStartPre=/bin/sleep 90\\n' >${dropIn}/slow.conf && systemctl daemon-reload`,
    );
    // A new server wants a reload, and with it the installer.
    await registerBackend("gamma", unused);
    await eventually("the installer is at it", installer, ({ stdout }) => stdout.trim() === "activating");
    await deregister(three, PATH, "beta");
    await untilServed([three], ["alpha"]);
    expect((await installer()).stdout.trim()).toBe("activating");
    await hurry();
    await untilServed([three], ["alpha", "gamma"]);
    await deregister(three, PATH, "gamma");
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
  });
});

describe("a registration that HAProxy cannot use", () => {
  it("by a name that does not resolve holds up nobody else, is named, and comes in once it resolves", async () => {
    await registerBackend("ghost", { address: "nowhere.invalid" });
    await registerBackend("gamma", unused);
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
    await mustRun(three, `echo ${unused.address} nowhere.invalid >>/etc/hosts`);
    // What the timer starts after a minute.
    await mustRun(three, "systemctl is-active meshctl-haproxy-again.timer");
    await mustRun(three, "systemctl start meshctl-haproxy-again.service");
    await untilServed([three], ["alpha", "beta", "gamma", "ghost"]);
    await deregister(three, PATH, "ghost");
    await deregister(three, PATH, "gamma");
    await untilProven();
  });

  it("by its options is left out and named, and holds up nobody else", async () => {
    await registerBackend("bogus", unused, { haproxy_server_options: "no-such-option" });
    await registerBackend("gamma", unused);
    await deregister(three, PATH, "beta");
    await untilServed(hosts, ["alpha", "gamma"]);
    expect(await mustRun(three, "cat /etc/haproxy/haproxy.cfg")).not.toContain("bogus");
    const ended = await verify();
    expect(openRows(ended)).toEqual([]);
    const rows = ended.events.filter(({ setting }) => setting === `service ${SERVICE}`);
    expect(rows.map(({ warning }) => warning)).toEqual(
      Array(3).fill(
        expect.stringMatching(
          /bogus \(option "no-such-option" is not allowed\) in \/services\/user-api\. .*mesh\.services\.user-api\.server_options_allowed/,
        ),
      ),
    );
    await deregister(three, PATH, "bogus");
    await deregister(three, PATH, "gamma");
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
    await untilProven();
  });
});

describe("what Synapse would die of, or stand still for", () => {
  it("is read by its patches as meshctl reads it", async () => {
    const records = [
      { port: 9001, name: "bee" },
      { port: "9001" },
      { port: "09001" },
      { port: 70_000 },
      { port: "http" },
      { port: null },
      { port: 9001, name: 5 },
      { port: 9001, name: ["a"] },
      { port: 9001, name: "a b" },
      { port: 9001, name: "a\nglobal" },
      { port: 9001, host: 7 },
      { port: 9001, host: "a b" },
      { port: 9001, haproxy_server_options: "weight 5%" },
      { port: 9001, haproxy_server_options: "weight 5\nglobal" },
      { port: 9001, haproxy_server_options: 5, weight: "x", labels: 5 },
      { port: 9001, haproxy_server_options: "weight 5 source 0.0.0.0 usesrc clientip" },
      { port: 9001, host: "127.0.0.1" },
      { port: 9001, host: "app.example", haproxy_server_options: "backup" },
    ].map((record) => JSON.stringify({ host: "10.0.0.9", ...record }));
    const data = [...records, "[]", "5", '"host port"', "null", "nonsense", ""];
    const program = await readFile(join(import.meta.dirname, "synapse-patches.rb"), "utf8");
    const environment = await mustRun(three, "systemctl show --property=Environment --value meshctl-watcher");
    await mustRun(three, "cat >/root/synapse-patches.rb", program);
    const output = await mustRun(
      three,
      `env ${environment.trim()} MESHCTL_LAST_BACKENDS=/root/last.json ruby -r ${SYNAPSE_PATCHES} /root/synapse-patches.rb`,
      JSON.stringify(data),
    );
    const found = JSON.parse(output) as {
      names: (string | null)[];
      kept: Record<string, string[]>;
      picked: Record<string, string[]>;
      told: Record<string, unknown>;
    };
    const services = [service({ name: SERVICE })];
    const policy = backendPolicy(
      mesh(services),
      haproxySettings(haproxyParameters.parse({}), mesh(services)),
    );
    expect(found.names).toEqual(
      data.map((text) => {
        const backend = backendOf(text, policy, SERVICE);
        return "refused" in backend ? null : serverName(backend);
      }),
    );
    expect(found.told).toEqual({
      "nothing known yet": [],
      "no answer at first": [],
      "one of two names": ["10.0.0.1", "10.0.0.2"],
      "both names, a server of both once": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
      "told anew by rotating answers": 0,
      "one name fails": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
      "the other loses an address": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
      "none may be a server": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
      "one may": ["10.0.0.2", "10.0.0.3", "10.0.0.4"],
      "started again while DNS is dead": ["10.0.0.2", "10.0.0.3", "10.0.0.4"],
      "started again, and asked": ["10.0.0.2", "10.0.0.3", "10.0.0.4"],
      "told by another name server": [],
      "alive, whatever resolves": true,
      "remembered by no other method": [],
    });
    expect(found.picked).toEqual({
      "by a label": ["api"],
      "by its absence": ["admin", "odd"],
      all: ["api", "admin", "odd"],
      "none of its own: default servers": ["default"],
      "beside default servers": ["api", "default"],
      "none of its own any more: nothing": [],
      "none of its own any more: its last": ["api"],
      "started again": ["api"],
      "started again to pick otherwise": [],
    });
    expect(found.kept).toEqual({
      "canary alone at first": [],
      "beside another": ["alpha", "meshctl-probe"],
      "alone at last": ["alpha"],
      "started again": ["alpha"],
      "with another path": [],
      "told to serve none": [],
      "told to keep the last again": [],
    });
  });

  it("is skipped and named, and holds up nobody else", async () => {
    const restarts = () => mustRun(three, "systemctl show --property=NRestarts --value meshctl-watcher");
    const before = await restarts();
    await register(three, PATH, { name: "five", host: unused, port: 1, more: { name: 5 } });
    await registerBackend("gamma", unused, { haproxy_server_options: "weight 100%" });
    await untilServed(hosts, ["alpha", "beta", "gamma"]);
    expect(await restarts()).toBe(before);
    const ended = await verify();
    expect(openRows(ended)).toEqual([]);
    const rows = ended.events.filter(({ setting }) => setting === `service ${SERVICE}`);
    expect(rows.map(({ warning }) => warning)).toEqual(
      Array(3).fill(expect.stringContaining("left out of HAProxy: five (its name is no text)")),
    );
    await deregister(three, PATH, "five");
    await deregister(three, PATH, "gamma");
    await untilServed(hosts, ["alpha", "beta"]);
    // Back at once, without the options it had.
    await registerBackend("gamma", unused);
    await untilServed(hosts, ["alpha", "beta", "gamma"]);
    await untilProven();
    await deregister(three, PATH, "gamma");
    await untilServed(hosts, ["alpha", "beta"]);
  });

  it("a HAProxy that hangs, and an installer that is stopped meanwhile loses nothing", async () => {
    const thaw = await frozen(three, "haproxy");
    await registerBackend("gamma", unused);
    await eventually(
      "Synapse's candidate is installed",
      () => configuredServers(three),
      (configured) => configured.length === 3,
    );
    // At once, for it waits no longer than a reload may take; and no earlier, or the installation is what was stopped.
    await mustRun(
      three,
      `for i in $(seq 1800); do
        sum=$(sha256sum </etc/haproxy/haproxy.cfg)
        [ ! -e /var/lib/meshctl-watcher/reload-taken ] ||
          ! grep -q "^ok.\${sum%% *}" /run/meshctl/haproxy-install || break
        sleep 0.1
      done
      systemctl kill --signal=TERM meshctl-haproxy-install.service`,
      undefined,
      { timeoutMs: 240_000 },
    );
    await eventually(
      "it says that it was stopped",
      () => mustRun(three, "cat /run/meshctl/haproxy-reload"),
      (result) => /^failed\t.*stopped before it was done/.test(result),
    );
    await thaw();
    await untilServed([three], ["alpha", "beta", "gamma"]);
    await eventually(
      "the reload is proved in the end",
      () => mustRun(three, "cat /run/meshctl/haproxy-reload; ls /var/lib/meshctl-watcher"),
      (result) => result.startsWith("ok\t") && !result.includes("reload-"),
      180_000,
    );
    await deregister(three, PATH, "gamma");
    await untilProven();
  });
});

describe("the installer", () => {
  const result = (kind: string) => mustRun(three, `cat /run/meshctl/haproxy-${kind}`);
  const untilEnded = (kind: string, outcome: string) =>
    eventually(
      `the ${kind} is ${outcome}`,
      () => result(kind),
      (line) => line.startsWith(`${outcome}\t`),
      180_000,
    );
  const writeAgain = () => mustRun(three, "systemctl restart meshctl-watcher");

  it("reloads nothing for a server that HAProxy knows", async () => {
    const info = () => tellHaproxy(three, "show info");
    const worker = async () => /^Pid: \d+$/m.exec(await info())![0];
    // One that has just been started may have missed what Synapse said meanwhile, and is reloaded for that.
    await eventually(
      "the worker is there for a while",
      async () => Number(/^Uptime_sec: (\d+)$/m.exec(await info())![1]),
      (seconds) => seconds >= 10,
    );
    const before = await worker();
    await deregister(three, PATH, "beta");
    await untilServed([three], ["alpha"]);
    await eventually(
      "the file forgets it",
      () => configuredServers(three),
      ({ length }) => length === 1,
    );
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
    await eventually(
      "the file has it again",
      () => configuredServers(three),
      ({ length }) => length === 2,
    );
    expect(await worker()).toBe(before);
  });

  it("takes nothing but servers from a candidate", async () => {
    const before = await mustRun(three, "sha256sum /etc/haproxy/haproxy.cfg");
    const candidate = "/var/lib/meshctl-watcher/haproxy.cfg";
    // As a line break in what a backend says of itself would make it.
    await mustRun(
      three,
      `sed -e 's/\\(description meshctl-[0-9a-f]*\\)-.*/\\1/' -e '0,/^\tserver alpha/s//    log 127.0.0.1 local1\\n&/' /etc/haproxy/haproxy.cfg >${candidate}.tmp && chown meshctl-watcher ${candidate}.tmp && mv ${candidate}.tmp ${candidate}`,
    );
    await untilEnded("install", "invalid");
    expect(await result("install")).toMatch(/besides servers it differs.*: > log 127\.0\.0\.1 local1\t/);
    expect(await mustRun(three, "sha256sum /etc/haproxy/haproxy.cfg")).toBe(before);
    await writeAgain();
    await untilProven();
  });

  it("does not replace a haproxy.cfg that is somebody else's", async () => {
    const putBack = givenBack(() =>
      mustRun(three, "test ! -e /root/haproxy.cfg || mv /root/haproxy.cfg /etc/haproxy/haproxy.cfg"),
    );
    await mustRun(
      three,
      "cp -p /etc/haproxy/haproxy.cfg /root/ && echo '# mine' >>/etc/haproxy/haproxy.cfg && sed -i '/haproxy.cfg$/d' /var/lib/meshctl/manifest",
    );
    await writeAgain();
    await untilEnded("install", "refused");
    expect(await mustRun(three, "tail -n 1 /etc/haproxy/haproxy.cfg")).toBe("# mine\n");
    expect(openRows(await verify()).join("\n")).toContain("kvm-03 watcher haproxy.cfg: blocked");
    await putBack();
    await writeAgain();
    await untilProven();
  });

  it("does not believe in a reload whose new worker cannot start", async () => {
    // What maxconn asks for is more than that; the worker that runs has its files.
    const restart = givenBack(() => mustRun(three, "systemctl restart haproxy"));
    await mustRun(
      three,
      "prlimit --nofile=5000:5000 --pid $(systemctl show --property=MainPID --value haproxy)",
    );
    await registerBackend("delta", unused);
    await untilEnded("reload", "failed");
    expect(await result("reload")).toMatch(/the old worker serves on: .*FD limit/);
    expect(await served(three)).toBe("alpha beta");
    expect(openRows(await verify()).join("\n")).toMatch(
      /kvm-03 watcher Synapse's last candidate: not-in-force/,
    );
    await restart();
    await untilServed([three], ["alpha", "beta", "delta"]);
    await deregister(three, PATH, "delta");
    await untilProven();
  });
});

describe("what somebody does behind the watcher's back", () => {
  it("to a registered backend's options is not on disk, and a provision brings it there", async () => {
    const beta = { host: two.address, port: BACKEND_PORT, name: "beta", haproxy_server_options: "weight 7" };
    await zookeeper(three, [`set ${PATH}/beta '${JSON.stringify(beta)}'`]);
    const rows = openRows(await verify());
    expect(rows).toEqual(
      hosts.map(({ name }) =>
        expect.stringMatching(
          `^${name} watcher service ${SERVICE}: different: beta_.* has no options of its own where "weight 7" is registered`,
        ),
      ),
    );
    expect((await meshctl(["provision", "--yes", ...arguments_])).code).toBe(0);
    expect(await mustRun(three, "grep -c 'server beta_.* check .* weight 7$' /etc/haproxy/haproxy.cfg")).toBe(
      "1\n",
    );
    await deregister(three, PATH, "beta");
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
    await untilProven();
  });

  it("to a server that is drained no client undoes by asking for it with the probe's cookie", async () => {
    const beta = (await liveServers(three, SERVICE)).find((name) => name.startsWith("beta_"))!;
    const ask = (cookie: string) =>
      `bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0; printf "GET / HTTP/1.0\\r\\n%s\\r\\n\\r\\n" "$1" >&3; tail -n 1 <&3' ` +
      `${PORT} '${cookie}'`;
    const cookies = [
      `Cookie: meshctl-probe=${beta}`,
      `Cookie: a=b; meshctl-probe=${beta}`,
      `Cookie: meshctl-probe=meshctl-probe_x; meshctl-probe=${beta}`,
      `Cookie: meshctl-probe=${beta}; meshctl-probe=meshctl-probe_x`,
    ];
    // As they are, each of the two is asked in turn.
    const answers = () =>
      mustRun(three, cookies.flatMap((cookie) => [ask(cookie), ask(cookie)]).join("; echo; "));
    expect(new Set((await answers()).split("\n").filter(Boolean))).toEqual(new Set(["alpha", "beta"]));
    await tellHaproxy(three, `set server ${SERVICE}/${beta} weight 0`);
    expect(new Set((await answers()).split("\n").filter(Boolean))).toEqual(new Set(["alpha"]));
    await tellHaproxy(three, `set server ${SERVICE}/${beta} weight 1`);
    expect(openRows(await verify())).toEqual([]);
  });

  it("to a server over HAProxy's socket is not in force, and the words that take it back are told", async () => {
    const [alpha, beta] = (await liveServers(three, SERVICE)) as [string, string];
    await tellHaproxy(three, `set server ${SERVICE}/${alpha} addr 127.0.0.66 port 66`);
    await tellHaproxy(three, `set server ${SERVICE}/${beta} weight 0`);
    const [row, ...others] = openRows(await verify());
    expect(others).toEqual([]);
    expect(row).toContain("kvm-03 watcher service user-api: not-in-force: changed by hand");
    expect(row).toContain("was sent to 127.0.0.66:66");
    const [, orders] = row!.split("to take it back: ");
    for (const order of orders!.split("; ")) await tellHaproxy(three, order);
    expect(openRows(await verify())).toEqual([]);
  });

  it("with a second HAProxy on the port is told from ours", async () => {
    const config = `defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\nlisten rogue\n bind 127.0.0.1:${PORT}\n`;
    const end = givenBack(() => mustRun(three, "systemctl stop rogue"));
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
    await end();
    expect(openRows(await verify())).toEqual([]);
  });
});

describe("the watcher survives", () => {
  const ensemble = (verb: string) =>
    Promise.all(hosts.map((host) => mustRun(host, `systemctl ${verb} zookeeper`)));

  it("ZooKeeper's absence, whether it ran before or starts meanwhile, and nobody notices", async () => {
    const start = givenBack(() => ensemble("start"));
    await ensemble("stop");
    await mustRun(three, "systemctl restart meshctl-watcher");
    // A check may have failed on a busy machine: the server it took out comes back by itself.
    await eventually(
      "both backends answer",
      () => countAnswers(three, PORT, 6),
      (answers) => answers.size === 2,
    );
    // That it had time to fail.
    await eventually(
      "Synapse is tried again",
      () => mustRun(three, "systemctl show --property=NRestarts --value meshctl-watcher"),
      (restarts) => Number(restarts) > 0,
      180_000,
    );
    expect(await served(three)).toBe("alpha beta");
    expect(await configuredServers(three)).toHaveLength(2);
    await start();
    await eventually(
      "the ensemble takes a change",
      () =>
        deregister(three, PATH, "beta").then(
          () => "taken",
          (error: Error) => error.message,
        ),
      (answer) => answer === "taken",
      180_000,
    );
    await untilServed(hosts, ["alpha"]);
  });

  it("a session that expired while it hung", async () => {
    const thaw = await frozen(three, "meshctl-watcher");
    await registerBackend("beta", two);
    await untilServed([one], ["alpha", "beta"]);
    // Synapse asks for ten seconds.
    await new Promise((resume) => setTimeout(resume, 15_000));
    await thaw();
    await untilServed([three], ["alpha", "beta"]);
  });

  it("the loss of all registrations, keeping the last or serving none as it is told to", async () => {
    await deregister(three, PATH, "alpha");
    // The last one to be seen is what is kept.
    await untilServed([three], ["beta"]);
    await deregister(three, PATH, "beta");
    await untilServed([two], []);
    await mustRun(three, "systemctl restart meshctl-watcher && systemctl restart haproxy");
    await untilProven();
    expect(await served(three)).toBe("beta");
    expect(await getThroughProxy(three, PORT)).toBe("beta");
    await registerBackend("alpha", one);
    await registerBackend("beta", two);
    await untilServed(hosts, ["alpha", "beta"]);
  });

  it("a power cut of a host, which others do not wait for and which comes back whole", async () => {
    const powerOn = givenBack(() => one.powerOn());
    await one.powerCut();
    await eventually(
      "beta alone answers",
      () => countAnswers(three, PORT, 4),
      (answers) => answers.get("beta") === 4,
    );
    await powerOn();
    await startBackend(one, "alpha", BACKEND_PORT);
    await untilProven();
    await eventually(
      "both answer again",
      () => countAnswers(one, PORT, 4),
      (answers) => answers.get("alpha") === 2 && answers.get("beta") === 2,
    );
  });
});
