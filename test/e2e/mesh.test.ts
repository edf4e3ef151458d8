import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import {
  deregister,
  eventually,
  killBackend,
  listChildren,
  mustRun,
  register,
  startBackend,
} from "./backends.ts";
import { frozen, givenBack, stopped } from "./given-back.ts";
import { configuredServers, liveServers } from "./haproxy.ts";
import { countAnswers, getThroughProxy } from "./http.ts";
import { type Ended, inventoryFor, meshctl, openRows, startMeshctl, summaryOf } from "./meshctl.ts";

const PATH = "/services/user-api";
const PORT = 8080;

let lab: Lab;
let inventory: string;
let hosts: readonly LabHost[];

beforeAll(async () => {
  lab = await startLab({ hosts: 3 });
  hosts = lab.hosts;
  inventory = await inventoryFor(lab, (yaml) =>
    yaml.replace(
      "    order-api:",
      "    mail: { path: /services/mail, port: 8025, mode: tcp }\n    order-api:",
    ),
  );
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
    // As hardened hosts have it. The gems are built elsewhere then.
    await mustRun(hosts[0]!, "mount --bind /var/tmp /var/tmp && mount -o remount,bind,noexec /var/tmp");
    // An empty store, so that Synapse's gems are really built here and pushed to the other hosts.
    const env = { XDG_CACHE_HOME: await mkdtemp(join(tmpdir(), "meshctl-store-")) };
    const ended = await meshctl(["provision", "-i", inventory, "--yes", "--json"], { env });
    expect(openRows(ended)).toEqual([]);
    expect(summaryOf(ended).hosts.map(({ outcome, because }) => because ?? outcome)).toEqual(
      Array(3).fill("as wanted"),
    );
    expect(ended.code).toBe(0);
    await mustRun(hosts[0]!, "umount /var/tmp && ! ls -d /opt/meshctl-build.* /var/tmp/meshctl-build.*");
  });

  it("have the files that render prints, with their modes and owners, and no others of meshctl's", async () => {
    for (const host of hosts) {
      const ended = await meshctl(["render", host.name, "-i", inventory, "--json"]);
      const files = JSON.parse(ended.stdout) as {
        path: string;
        mode: string;
        owner: string;
        content: string;
      }[];
      // meshctl's own books, as what the kernel had before, depend on the host.
      const written = await mustRun(
        host,
        "cut -c67- /var/lib/meshctl/manifest | grep -v '^/var/lib/meshctl/'",
      );
      expect(files.map(({ path }) => path).sort()).toEqual(written.trimEnd().split("\n").sort());
      // The layout of haproxy.cfg is Synapse's.
      const exact = files.filter(({ path }) => path !== "/etc/haproxy/haproxy.cfg");
      const wanted = exact.map(({ path, mode, owner, content }) => {
        const digest = createHash("sha256").update(content).digest("hex");
        return `${digest} ${mode} ${owner} ${path}`;
      });
      const found = await mustRun(
        host,
        `for file in ${exact.map(({ path }) => path).join(" ")}; do
          sum=$(sha256sum <"$file"); echo "\${sum%% *} $(stat -c '%04a %U:%G' "$file") $file"
        done`,
      );
      expect(found.trimEnd().split("\n")).toEqual(wanted);
    }
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
      // The reader: it stays for the run, and answers all steps.
      expect(execs).toBe(1);
    }
    expect(await Promise.all(hosts.map(invocations))).toEqual(before);
  });

  // The registrar has a group that these hosts do not, and a test of its own.
  it.each(
    readdirSync(resolve(import.meta.dirname, "../../playbooks")).filter((name) => name !== "registrar.yaml"),
  )("satisfy %s alone", async (playbook) => {
    const ended = await meshctl(["verify", "-i", inventory, "-p", join("playbooks", playbook), "--json"]);
    expect(openRows(ended)).toEqual([]);
    expect(ended.code).toBe(0);
  });

  it("show on their own shell what meshctl says it read, by the file and line or the command that it names", async () => {
    const { events } = await meshctl(["verify", "-i", inventory, "--limit", "kvm-03", "--json"]);
    const layers = events.flatMap(({ on_disk, in_force }) => [on_disk, in_force]) as {
      is: string;
      source: string;
    }[];
    const read = layers.filter((layer) => layer?.is === "read" || layer?.is === "inferred");
    const sources = new Set(
      read.map(({ source }) => source).filter((source) => !source.startsWith("inventory: ")),
    );
    expect(sources.size).toBeGreaterThan(30);
    const silent: string[] = [];
    for (const source of sources) {
      const [, file, line, command] =
        /^(?:(\/[^\s:,]+)(?::(\d+))?|(.*?))(?: \([^()]*\))?$/.exec(source) ?? [];
      const typed =
        file === undefined ? command! : line === undefined ? `ls -d ${file}` : `sed -n ${line}p ${file}`;
      const { stdout } = await hosts[2]!.exec(typed);
      if (stdout.trim() === "") silent.push(source);
    }
    expect(silent).toEqual([]);
  });

  it("explain a setting, and tell a name that none has from those there are", async () => {
    const explained = await meshctl(["verify", "-i", inventory, "--explain", "*tcp_fin_timeout"]);
    expect(explained.code).toBe(0);
    expect(explained.stdout.match(/from \/etc\/sysctl\.d\/99-zz-meshctl\.conf:\d+$/gm)).toHaveLength(3);
    const mistyped = await meshctl(["verify", "-i", inventory, "--explain", "maxcon"]);
    expect(mistyped.code).toBe(3);
    expect(mistyped.stderr).toContain("no setting is named 'maxcon'; did you mean 'maxconn'?");
  });

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
    const servers = () => liveServers(hosts[2]!, "user-api");
    await eventually("alpha leaves HAProxy", servers, (live) => live.length === 1);
    await eventually(
      "haproxy.cfg forgets alpha",
      () => configuredServers(hosts[2]!),
      (configured) => configured.length === 1,
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

describe("the status of the mesh", () => {
  const HOSTS = ["kvm-01", "kvm-02", "kvm-03"];

  it("is that requests fail of a service that nothing has registered for yet", async () => {
    const ended = await meshctl(["status", "-i", inventory, "--json"]);
    expect(problemsOf(ended)).toMatchObject(
      ["mail", "order-api"].map((service) => ({
        kind: "service-out",
        hosts: HOSTS,
        what: expect.stringContaining(`${service}: nothing has registered yet`),
      })),
    );
    expect(ended.code).toBe(2);
    // What it says to type shows the same.
    const typed = /^ssh (\S+) (.*)$/.exec(problemsOf(ended)[0]!.next)!;
    const host = hosts.find(({ name }) => name === typed[1])!;
    expect(await mustRun(host, `${typed[2]} 2>&1`)).toMatch(/^\[\]$/m);
    for (const path of ["/services/mail", "/services/order-api"])
      await register(hosts[0]!, path, { name: "beta", host: hosts[1]!, port: 9001 });
    await statusUntil([]);
  });

  it("is that all is well, in one exec a host beside the reader", async () => {
    const ended = await meshctl(["status", "-i", inventory, "--json"]);
    expect(problemsOf(ended)).toEqual([]);
    expect(ended.code).toBe(0);
    expect(summaryOf(ended).hosts.map(({ execs }) => execs)).toEqual([1, 1, 1]);
    expect(eventsOf(ended, "ensemble")).toMatchObject([{ quorum: true, serving: 3, synced_followers: 2 }]);
    const [userApi] = eventsOf(ended, "service") as unknown as [
      { backends: { name: string; proxies: object }[] },
    ];
    expect(
      userApi.backends.map(({ name, proxies }) => [name.split("_")[0], ...Object.values(proxies)]),
    ).toEqual(["beta", "gamma"].map((name) => [name, "up", "up", "up"]));
  });

  it("is told again and again with --watch, until ^C", async () => {
    const watch = startMeshctl(["status", "--watch", "1", "-i", inventory, "--json"]);
    for (const _ of [1, 2]) {
      expect(await watch.event(({ event }) => event === "summary")).toMatchObject({ exit_code: 0 });
    }
    watch.signal("SIGINT");
    const ended = await watch.ended;
    expect(ended.code).toBe(130);
    expect(ended.events.at(-1)).toMatchObject({ event: "summary", exit_code: 130 });
    // Nobody's screen: one page after another, and none of a terminal's control sequences.
    const pages = startMeshctl(["status", "--watch", "1", "-i", inventory]);
    await pages.printed(/(?:all is well.*){2}/s);
    pages.signal("SIGINT");
    const { code, stdout } = await pages.ended;
    expect(code).toBe(130);
    expect(stdout).not.toContain("\u001b");
  });

  it("names a backend that was killed on every proxy, a stopped watcher and a stopped member", async () => {
    await killBackend(hosts[2]!, "gamma");
    await stopped(hosts[1]!, "meshctl-watcher");
    await stopped(hosts[0]!, "zookeeper");
    const ended = await statusUntil(["watcher kvm-02", `down ${HOSTS}`, "member kvm-01"]);
    expect(ended.code).toBe(2);
    const [watcher, down, member] = problemsOf(ended);
    expect(down!.what).toContain("gamma_");
    expect(down!.next).toBe("ssh kvm-03 ss -Hltnp sport = :9002");
    // What it says to type is what helps.
    for (const { next } of [watcher!, member!]) {
      const [, ...words] = next.split(" ");
      expect((await meshctl([...words, "--yes"])).code).toBe(0);
    }
    await startBackend(hosts[2]!, "gamma-again", 9002);
    expect((await statusUntil([])).code).toBe(0);
  });

  it("names a backend that is left out for what it says of itself, and what", async () => {
    await register(hosts[0]!, PATH, {
      name: "bad",
      host: hosts[1]!,
      port: 9009,
      more: { haproxy_server_options: "weight 3 nonsense" },
    });
    const ended = await statusUntil(["left-out "]);
    expect(ended.code).toBe(2);
    const [problem] = problemsOf(ended);
    expect(problem!.evidence).toBe('bad: option "nonsense" is not allowed');
    // What it says to type tells what to do.
    const { stdout } = await meshctl([
      ...problem!.next.replaceAll("'", "").split(" ").slice(1, -2),
      "service user-api",
    ]);
    expect(stdout).toContain("mesh.services.user-api.server_options_allowed");
    await deregister(hosts[0]!, PATH, "bad");
    expect((await statusUntil([])).code).toBe(0);
  });

  /** Asks until these are the problems, each as "KIND HOSTS". */
  async function statusUntil(expected: readonly string[]): Promise<Ended> {
    let ended: Ended | undefined;
    await eventually(
      "the status",
      async () => {
        ended = await meshctl(["status", "-i", inventory, "--json"]);
        return problemsOf(ended).map(({ kind, hosts }) => `${kind} ${hosts}`);
      },
      (problems) => problems.join("\n") === expected.join("\n"),
      180_000,
    );
    return ended!;
  }
});

describe("a probe of the mesh", () => {
  const children = async () => (await listChildren(hosts[0]!, PATH)).toSorted();
  const listening = async () => mustRun(hosts[0]!, "ss -Hltn sport = :65100");
  /** Servers of the canary that any worker would send a request to. */
  const canaries = async () =>
    (await Promise.all(hosts.map((host) => liveServers(host, "user-api"))))
      .flat()
      .filter((name) => name.startsWith("meshctl-probe"));
  const proxiesIn = (ended: Ended) =>
    eventsOf(ended, "probe") as unknown as { host: string; follows: boolean; served_ms?: number }[];

  it("is answered by the canary through every proxy, and leaves nothing behind", async () => {
    const ended = await meshctl(["probe", "user-api", "-i", inventory, "--json"]);
    expect(proxiesIn(ended).map(({ host, follows }) => [host, follows])).toEqual([
      ["kvm-01", true],
      ["kvm-02", true],
      ["kvm-03", true],
    ]);
    expect(eventsOf(ended, "probed")).toMatchObject([
      { follows: true, served_ms: { max: expect.any(Number) } },
    ]);
    expect(ended.code).toBe(0);
    expect(await children()).toEqual(["beta", "gamma"]);
    expect(await listening()).toBe("");
    expect(await canaries()).toEqual([]);
    expect((await meshctl(["status", "-i", inventory])).code).toBe(0);
  });

  it("gives no client the canary, and takes it away when it is interrupted", async () => {
    const probe = startMeshctl(["probe", "user-api", "-i", inventory, "--json", "--timeout", "60"]);
    // A watcher that follows nothing keeps the canary where it is until then.
    await frozen(hosts[1]!, "meshctl-watcher");
    await probe.event(({ event, until }) => event === "canary" && until === "served");
    await eventually(
      "kvm-03 has the canary",
      () => liveServers(hosts[2]!, "user-api"),
      (live) => live.some((name) => name.startsWith("meshctl-probe")),
    );
    expect([...(await countAnswers(hosts[2]!, PORT, 20)).keys()].toSorted()).toEqual(["beta", "gamma-again"]);
    probe.signal("SIGINT");
    expect((await probe.ended).code).toBe(130);
    expect(await children()).toEqual(["beta", "gamma"]);
    expect(await listening()).toBe("");
  });

  it("names the proxy whose watcher is frozen, and what its layers say", async () => {
    const thaw = await frozen(hosts[1]!, "meshctl-watcher");
    const ended = await meshctl(["probe", "user-api", "-i", inventory, "--json", "--timeout", "10"]);
    await thaw();
    expect(ended.code).toBe(2);
    expect(proxiesIn(ended).map(({ follows }) => follows)).toEqual([true, false, true]);
    expect(problemsOf(ended)).toMatchObject([{ kind: "watcher", hosts: ["kvm-02"] }]);
    expect(await children()).toEqual(["beta", "gamma"]);
    await eventually("no canary is left", canaries, (left) => left.length === 0);
  });

  it("of a TCP service believes no health check that HAProxy made before", async () => {
    const probe = () => meshctl(["probe", "mail", "-i", inventory, "--json", "--timeout", "10"]);
    expect((await probe()).code).toBe(0);
    // From here on every worker knows the canary, and that it was well.
    const blackhole = "ipproto 6 dport 65100 blackhole";
    const lift = givenBack(() => mustRun(hosts[2]!, `ip rule del ${blackhole}`));
    await mustRun(hosts[2]!, `ip rule add ${blackhole}`);
    const ended = await probe();
    await lift();
    expect(proxiesIn(ended).map(({ follows }) => follows)).toEqual([true, true, false]);
    expect(ended.code).toBe(2);
  });

  it("does not put a canary where nothing is registered", async () => {
    await deregister(hosts[0]!, "/services/order-api", "beta");
    await eventually(
      "the status",
      async () => problemsOf(await meshctl(["status", "-i", inventory, "--json"])).map(({ kind }) => kind),
      (kinds) => kinds.join() === "kept",
    );
    const ended = await meshctl(["probe", "order-api", "-i", inventory, "--json"]);
    expect(ended.code).toBe(2);
    expect(eventsOf(ended, "probed")).toMatchObject([{ service: "order-api", follows: false }]);
    expect(eventsOf(ended, "canary")).toEqual([]);
  });
});

describe("a host that cannot be reached", () => {
  it("is reported as such, and the others are read all the same", async () => {
    const start = await stopped(hosts[2]!, "ssh");
    const ended = await meshctl(["verify", "-i", inventory, "--json"]);
    await start();
    expect(ended.code).toBe(5);
    expect(summaryOf(ended).hosts.map(({ outcome }) => outcome)[2]).toBe("unreachable");
  });
});

describe("after a reboot", () => {
  async function verifyUntilProven(): Promise<void> {
    // Twice in a row: what starts may be as wanted for a moment, and then be started again.
    let looks = 0;
    await eventually(
      "every setting is proven again, and stays so",
      async () => {
        const ended = await meshctl(["verify", "-i", inventory, "--json"]);
        looks = ended.code === 0 ? looks + 1 : 0;
        return { looks, open: openRows(ended) };
      },
      ({ looks }) => looks === 2,
      90_000,
    );
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

/** A problem as `status` and `probe` tell it. */
interface Problem {
  readonly kind: string;
  readonly hosts: readonly string[];
  readonly what: string;
  readonly evidence: string;
  readonly next: string;
}

function eventsOf(ended: Ended, event: string) {
  return ended.events.filter((each) => each.event === event);
}

function problemsOf(ended: Ended): readonly Problem[] {
  return eventsOf(ended, "problem") as unknown as readonly Problem[];
}
