import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imported } from "../../src/import/import.ts";
import type { LivingHost } from "../../src/import/living.ts";
import { filesOf, lookAtLiving } from "../../src/import/look-at-living.ts";
import { loadFiles } from "../../src/playbook/load-files.ts";
import type { Ask } from "../../src/reader/protocol.ts";
import { Reader } from "../../src/reader/reader.ts";
import { steps } from "../../src/steps/registry.ts";
import { absent, type ToldHost, tellOf, value } from "../reader/told-host.ts";

const site = new URL("../../playbooks/site.yaml", import.meta.url).pathname;
const RUBY = "ruby\0/usr/lib/gems";
const SYNAPSE = JSON.stringify({
  haproxy: {
    global: ["maxconn 4000"],
    defaults: ["mode http", "timeout connect 1s", "timeout client 9s", "timeout server 9s"],
  },
  services: {
    users: {
      discovery: { method: "zookeeper", path: "/s/users", hosts: ["10.0.0.1:2181"] },
      haproxy: { port: 3210, server_options: "check inter 2s", listen: ["option httpchk GET /up"] },
    },
  },
});
const NERVE = (address: string) =>
  JSON.stringify({
    instance_id: "app",
    services: {
      users: {
        host: address,
        port: 9000,
        zk_hosts: ["10.0.0.1:2181"],
        zk_path: "/s/users",
        checks: [{ type: "http", uri: "/up" }],
      },
    },
  });

interface Runs {
  readonly pid: number;
  readonly comm: string;
  readonly argv: string;
  readonly cgroup?: string;
  readonly cwd?: string;
}

/** A host on which these run; one question of it may be unreadable. */
function reader(runs: readonly Runs[], told: ToldHost = {}, unreadable = ""): Reader {
  const kernel = ["tcp_tw_reuse", "ip_local_port_range", "tcp_max_syn_backlog", "tcp_fin_timeout"];
  const files = {
    ...Object.fromEntries(
      kernel.map((key) => [`/proc/sys/net/ipv4/${key}`, key.endsWith("range") ? "2000\t3000\n" : "2\n"]),
    ),
    "/proc/sys/net/core/somaxconn": "128\n",
    ...told.files,
  };
  const tell = tellOf({ ...told, files, answers: { "haproxy.stat": absent, ...told.answers } });
  const ask: Ask = async (question) => {
    const [name, what = ""] = question;
    if (unreadable !== "" && what === unreadable) return { is: "unreadable", because: "Permission denied" };
    if (name === "haproxy.stat") return absent;
    if (name !== "process" || !what.startsWith("comm:")) return tell(question);
    const found = runs.filter(({ comm }) => `comm:${comm}` === what);
    const fields = found.flatMap(({ pid, argv, cgroup = "0::/system.slice/none.service", cwd = "/" }) => [
      ...[pid, "1000", 60, "S", "root:root"],
      ...[`${argv}\0`, cgroup, cwd],
    ]);
    const { value: texts } = value(...fields);
    return { is: "value", value: texts.map((text) => Buffer.from(text)) };
  };
  return new Reader(ask);
}

const look = (from: Reader) => lookAtLiving(from, "kvm-01", { hardOpenFiles: 524_288, cpus: 2 });

describe("the files of what runs", () => {
  it.each([
    ["Synapse", "ruby /gems/bin/synapse -c conf/s.json", "/srv", ["/srv/conf/s.json"]],
    ["Synapse", "ruby /gems/bin/synapse --config=/etc/s.json", "/", ["/etc/s.json"]],
    ["Nerve", "nerve --conf /etc/n.json -i app", "/", ["/etc/n.json"]],
    ["HAProxy", "/usr/sbin/haproxy -Ws -f /a.cfg -f b.cfg -p /run/x", "/srv", ["/a.cfg", "/srv/b.cfg"]],
    ["HAProxy", "haproxy -C /etc/h -f a.cfg", "/", ["/etc/h/a.cfg"]],
    [
      "ZooKeeper",
      "java -cp x org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg",
      "/z",
      ["/z/zoo.cfg"],
    ],
    ["ZooKeeper", "java org.apache.zookeeper.server.ZooKeeperServerMain 2181 /data", "/", []],
  ] as const)("of %s are told by its command line: %s", (program, words, cwd, files) => {
    expect(filesOf(program, words.split(" "), cwd)).toEqual(files);
  });

  const synapse = {
    pid: 7,
    comm: "ruby",
    argv: `${RUBY}/synapse-0.16.2/bin/synapse\0-c\0/srv/s.json`,
    cgroup: "0::/system.slice/proxy-discovery.service",
  };
  const units = {
    "proxy-discovery.service": { MainPID: 7 },
    "cron.service": { MainPID: 3, ExecStart: "/usr/sbin/cron -f" },
  };

  it("are read, with the unit that started it", async () => {
    const found = await look(reader([synapse], { units, files: { "/srv/s.json": SYNAPSE } }));
    expect(found.programs).toMatchObject([
      { program: "Synapse", unit: "proxy-discovery.service", files: ["/srv/s.json"] },
    ]);
    expect(found.files).toEqual([{ path: "kvm-01:/srv/s.json", text: SYNAPSE, host: "kvm-01" }]);
    expect(found.unread).toEqual([]);
    expect(Object.fromEntries(found.kernel)).toMatchObject({ "net.ipv4.ip_local_port_range": "2000 3000" });
  });

  it("are nobody's to stop where systemd started something else that started it", async () => {
    const byCron = { ...synapse, cgroup: "0::/system.slice/cron.service" };
    const byHand = { ...synapse, cgroup: "0::/user.slice/user-0.slice/session-1.scope" };
    for (const runs of [byCron, byHand])
      expect(
        (await look(reader([runs], { units, files: { "/srv/s.json": SYNAPSE } }))).programs[0]!.unit,
      ).toBeUndefined();
  });

  const zookeeper = {
    pid: 8,
    comm: "java",
    argv: "/usr/bin/java\0-Xmx1g\0org.apache.zookeeper.server.quorum.QuorumPeerMain\0/srv/zoo.cfg",
  };
  const nerve = { pid: 9, comm: "nerve", argv: "nerve\0-c\0/srv/n.json" };

  it.each([
    ["/srv/s.json", /^kvm-01: \/srv\/s\.json was not read: Permission denied$/],
    [
      "/srv/zoo.cfg",
      /ZooKeeper runs with \/srv\/zoo\.cfg, which was not read: Permission denied: nothing is taken of it/,
    ],
    ["/srv/data/myid", /\/srv\/data\/myid was not read: Permission denied/],
    ["/srv/d", /\/srv\/d, the service_conf_dir of \/srv\/n\.json, was not read: Permission denied/],
    ["/srv/d/users.json", /\/srv\/d\/users\.json was not read/],
    [
      "/proc/sys/net/core/somaxconn",
      /net\.core\.somaxconn was not read: Permission denied: meshctl's default would be set/,
    ],
    ["comm:haproxy", /the processes called haproxy were not read/],
    ["/usr/sbin/mariadbd", /the database's settings were not read: .*left alone/],
  ])("that cannot be read are said: %s", async (path, said) => {
    const files = {
      "/srv/s.json": SYNAPSE,
      "/srv/n.json": '{ "instance_id": "app", "service_conf_dir": "d", }',
      "/srv/d/users.json": "{}",
      "/srv/zoo.cfg": "dataDir=/srv/data\nserver.1=10.0.0.1:2888:3888\n",
      "/srv/data/myid": "1\n",
    };
    const runs = [synapse, zookeeper, nerve];
    expect((await look(reader(runs, { units, files }))).unread).toEqual([]);
    const { unread } = await look(reader(runs, { units, files }, path));
    expect(unread).toEqual([expect.stringMatching(said)]);
  });
});

function living(number: number, more: Partial<LivingHost> = {}): LivingHost {
  const name = `kvm-0${number}`;
  const address = `10.0.0.${number}`;
  const program = (which: LivingHost["programs"][number]["program"], file: string) => ({
    program: which,
    pid: 1,
    unit: `${which.toLowerCase()}.service`,
    argv: [],
    files: [file],
  });
  return {
    name,
    address,
    addresses: [address],
    ssh: undefined,
    programs: [
      program("Synapse", "/srv/s.json"),
      program("Nerve", "/srv/n.json"),
      program("HAProxy", "/etc/haproxy/haproxy.cfg"),
      program("ZooKeeper", "/srv/zoo.cfg"),
    ],
    files: [
      { path: `${name}:/srv/s.json`, host: name, text: SYNAPSE },
      { path: `${name}:/srv/n.json`, host: name, text: NERVE(address) },
    ],
    member: {
      path: "/srv/zoo.cfg",
      properties: new Map([
        ["dataDir", "/srv/data"],
        ["dataLogDir", "/srv/log"],
        ["clientPort", "2281"],
        ["maxClientCnxns", "9"],
      ]),
      servers: new Map([1, 2, 3].map((id) => [id + 4, `10.0.0.${id}:2988:3988`])),
      id: number + 4,
      argv: ["java", "-Xmx512m"],
      unit: "zookeeper.service",
    },
    kernel: new Map([["net.core.somaxconn", `${number}00`]]),
    database:
      number === 1
        ? { server: "mariadb", buffer_pool_size: "128M", log_file_size: "96M", flush_log_at_trx_commit: 1 }
        : undefined,
    maxconn: { most: 4000, isAsked: true },
    virtualization: "kvm",
    unread: [],
    ...more,
  };
}

const textOf = (hosts: readonly LivingHost[]) =>
  imported(
    hosts.flatMap(({ files }) => files),
    { hosts, ssh: ["ssh: { user: ops }"], from: hosts.map(({ name }) => name).join() },
  );

async function loaded(text: string) {
  const file = join(mkdtempSync(join(tmpdir(), "meshctl-living-")), "i.yaml");
  writeFileSync(file, text);
  return (await loadFiles({ inventoryFile: file, playbookFile: site }, steps)).inventory;
}

describe("an inventory of hosts on which a mesh runs", () => {
  it("has them in their roles, with what each says of itself", async () => {
    const text = textOf([1, 2, 3].map((number) => living(number)));
    const { mesh, hosts } = await loaded(text);
    expect(mesh.ensemble.map(({ host, id }) => [host, id])).toEqual([
      ["kvm-01", 5],
      ["kvm-02", 6],
      ["kvm-03", 7],
    ]);
    expect(mesh.zookeeper).toMatchObject({ clientPort: 2281, quorumPort: 2988, electionPort: 3988 });
    expect(mesh.proxies).toEqual(["kvm-01", "kvm-02", "kvm-03"]);
    expect(mesh.services).toMatchObject([{ name: "users", discovery: { path: "/s/users" }, port: 3210 }]);
    const one = hosts.get("kvm-01")!.parameters;
    expect(one.get("zookeeper")).toMatchObject({
      adopt: true,
      data_dir: "/srv/data",
      data_log_dir: "/srv/log",
      heap: 512 * 2 ** 20,
      tick_time: 3000,
    });
    expect(one.get("watcher")).toMatchObject({ replaces: ["synapse.service"] });
    expect(one.get("registrar")).toMatchObject({
      replaces: ["nerve.service"],
      services: { users: [{ port: 9000, check: { http: "/up" } }] },
    });
    expect(one.get("haproxy")).toMatchObject({ adopt: true, maxconn: 4000, timeout_server: 9000 });
    expect(one.get("mysql")).toMatchObject({ flushLogAtTrxCommit: 1, logFileSizeBytes: 96 * 2 ** 20 });
    expect(text).toContain("  databases:\n    hosts: [kvm-01]\n");
    for (const [name, value] of [
      ["kvm-01", "100"],
      ["kvm-03", "300"],
    ] as const)
      expect(
        (hosts.get(name)!.parameters.get("sysctl") as { settings: Map<string, string> }).settings.get(
          "net.core.somaxconn",
        ),
      ).toBe(value);
    expect(text).toContain("kvm-02: /srv/zoo.cfg: maxClientCnxns=9: no place");
    expect(text).toMatch(
      /# {3}kvm-01, kvm-02, kvm-03: watcher: .*synapse\.service is stopped and disabled behind it/,
    );
  });

  it("has members that were not read, too: an ensemble does not lose them", async () => {
    const text = textOf([living(1), living(2)]);
    expect((await loaded(text)).mesh.ensemble.map(({ address, id }) => [address, id])).toContainEqual([
      "10.0.0.3",
      7,
    ]);
    expect(text).toContain("member 7, 10.0.0.3, is none of the hosts that were read");
  });

  it("says where hosts do not say the same, and takes the first", async () => {
    const other = SYNAPSE.replace("3210", "3211").replace("9s", "8s");
    const files = [{ path: "kvm-02:/srv/s.json", host: "kvm-02", text: other }];
    const text = textOf([living(1), living(2, { files }), living(3)]);
    expect((await loaded(text)).mesh.services).toMatchObject([{ port: 3210 }]);
    expect(text).toContain("kvm-02:/srv/s.json: service users: no place, another host's file says otherwise");
    expect(text).toContain(
      "kvm-02:/srv/s.json: its settings for all services differ from those of kvm-01:/srv/s.json",
    );
  });

  it("says where members have other ports than the first, whose count", async () => {
    const member = (number: number, clientPort: string) => ({
      ...living(number).member!,
      properties: new Map([
        ["dataDir", "/srv/data"],
        ["clientPort", clientPort],
      ]),
      servers: new Map([
        [5, "10.0.0.1:2988:3988"],
        [6, "10.0.0.2:2989:3989"],
        [7, "observer.example:2988:3988"],
      ]),
    });
    const text = textOf([living(1, { member: member(1, "2281") }), living(2, { member: member(2, "2282") })]);
    expect((await loaded(text)).mesh.zookeeper).toMatchObject({
      clientPort: 2281,
      quorumPort: 2988,
      electionPort: 3988,
    });
    expect(text).toContain(
      "the members' ports to each other are 2988:3988, 2989:3989: no place, all have the same: 2988:3988",
    );
    expect(text).toContain("kvm-02: /srv/zoo.cfg: its clientPort is 2282: no place");
    expect(text).not.toContain("votes here");
  });

  it.each(["2291", "0.0.0.0:2291", "[::]:2291"])(
    "takes a client port of a member's own line: ;%s",
    async (said) => {
      const properties = new Map([
        ["dataDir", "/srv/data"],
        ["server.5", `10.0.0.1:2988:3988;${said}`],
      ]);
      const text = textOf([living(1, { member: { ...living(1).member!, properties } })]);
      expect((await loaded(text)).mesh.zookeeper.clientPort).toBe(2291);
    },
  );

  it("leaves out what no step takes, and says it", async () => {
    const member = {
      ...living(1).member!,
      properties: new Map([
        ["dataDir", "/tmp/zk"],
        ["tickTime", "50"],
      ]),
      servers: new Map([
        [1, "zk.example:2888:3888"],
        [5, "10.0.0.1:2888:3888"],
      ]),
    };
    const nerve = JSON.parse(NERVE("10.0.0.1"));
    nerve.services.users.checks[0].rise = 0;
    const files = [
      living(1).files[0]!,
      { path: "kvm-01:/srv/n.json", host: "kvm-01", text: JSON.stringify(nerve) },
    ];
    const text = textOf([
      living(1, { member, files, database: { buffer_pool_size: "4M", flush_log_at_trx_commit: 1 } }),
    ]);
    const { hosts } = await loaded(text);
    for (const said of [
      'zookeeper: data_dir "/tmp/zk": expected a place that lasts',
      "zookeeper: tick_time 50: expected a time with its unit, 50s or 50ms",
      "users: check.rise 0: ",
      'mysql: buffer_pool_size "4M": expected at least 8M',
      "it was not read; the files call it zk.example: put its address here",
    ])
      expect(text).toContain(said);
    expect(text).not.toContain("  databases:");
    expect(hosts.get("kvm-01")!.parameters.get("registrar")).toMatchObject({
      services: { users: [{ port: 9000, check: { rise: 2 } }] },
    });
  });

  it("says what is a person's to do", async () => {
    const programs = living(1).programs.map((each) =>
      each.program === "HAProxy" ? { ...each, files: ["/srv/h.cfg"] } : { ...each, unit: undefined },
    );
    const text = textOf([
      living(1, { programs, unread: ["kvm-01: /srv/x was not read: Permission denied"] }),
    ]);
    expect(text).toContain("kvm-01: /srv/x was not read: Permission denied");
    expect(text).toContain("kvm-01: Synapse is no service of systemd's: end it yourself");
    expect(text).toContain(
      "kvm-01: ZooKeeper runs as no service of systemd's, and meshctl's is zookeeper.service",
    );
    expect(text).toContain("First, on the host: cp -p /srv/h.cfg /etc/haproxy/haproxy.cfg,");
    expect((await loaded(text)).hosts.get("kvm-01")!.parameters.get("watcher")).not.toMatchObject({
      replaces: [""],
    });
  });
});
