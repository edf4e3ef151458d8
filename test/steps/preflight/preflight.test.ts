import { describe, expect, it } from "vitest";
import type { Claims } from "../../../src/contract/claims.ts";
import type { Listener } from "../../../src/contract/host.ts";
import { bootPlan } from "../../../src/daemon/boot.ts";
import { openFilesNeeded } from "../../../src/haproxy/open-files.ts";
import type { PreflightFacts } from "../../../src/steps/preflight/facts.ts";
import { preflight } from "../../../src/steps/preflight/index.ts";
import { bookworm, MIB, rowsOf, type World } from "./world.ts";

const zookeeperPorts: Claims = {
  ports: [{ port: 2181, address: "10.0.0.1", process: "java", what: "ZooKeeper's clients" }],
};
const haproxyPorts: Claims = {
  ports: [{ port: 8080, address: "127.0.0.1", process: "haproxy", what: "service user-api" }],
};

describe("preflight", () => {
  it("finds a fit host fit, row by row, and changes nothing", () => {
    const rows = rowsOf({ claims: { zookeeper: zookeeperPorts, haproxy: haproxyPorts } });
    expect([...rows.values()].map(({ setting, verdict, warning }) => [setting, verdict, warning])).toEqual(
      [
        "os",
        "virtualization",
        "memory",
        "file systems writable",
        "disk space",
        "free inodes",
        "disk latency",
        "address",
        "port 10.0.0.1:2181",
        "port 127.0.0.1:8080",
        "local port range",
        "clock",
        "latency to the ensemble",
        "ensemble size",
      ].map((setting) => [setting, "proven", undefined]),
    );
  });

  it.each([
    [{ virtualisation: ["kvm"] }, /virtualisation/],
    [{ virtualization: [] }, /1/],
    [{ virtualization: ["KVM"] }, /systemd-detect-virt/],
    [{ clock_skew_max: "soon" }, /duration/],
    [{ memory_reserve: "much" }, /size/],
    [{ countries: ["DE", "England"] }, /country of ISO 3166-1/],
    [{ countries: [] }, /1/],
  ])("refuses the parameters %j", (parameters, message) => {
    expect(preflight.parameters.safeParse(parameters).error?.issues[0]?.message).toMatch(message);
  });
});

describe("the release", () => {
  const bullseye = { id: "debian", versionId: "11", codename: "bullseye", prettyName: "Debian 11" };
  const sid = { id: "debian", versionId: "", codename: "sid", prettyName: "Debian GNU/Linux forky/sid" };
  const noble = { id: "ubuntu", versionId: "24.04", codename: "noble", prettyName: "Ubuntu 24.04 LTS" };
  const buster = { ...bullseye, versionId: "10", codename: "buster", prettyName: "Debian 10" };

  it.each([
    ["Debian 11", bullseye, [], "proven"],
    ["Debian 12", bookworm, [], "proven"],
    ["Debian 13", { ...bookworm, versionId: "13", codename: "trixie" }, [], "proven"],
    ["Debian 10", buster, [], "blocked"],
    ["sid", sid, [], "blocked"],
    ["sid, allowed by its codename", sid, ["sid"], "proven"],
    ["Ubuntu", noble, [], "blocked"],
    ["Ubuntu, allowed by id and version", noble, ["ubuntu 24.04"], "proven"],
    ["Ubuntu, when another release is allowed", noble, ["jammy", "ubuntu 22.04"], "blocked"],
    ["a derivative with Debian's number", { ...bookworm, id: "raspbian" }, [], "blocked"],
    ["nothing at all", { id: "", versionId: "", codename: "", prettyName: "" }, [""], "blocked"],
  ])("%s", (_, os, allowOs, verdict) => {
    expect(rowsOf({ host: { os }, allowOs }).get("os")?.verdict).toBe(verdict);
  });

  it("says what to allow, and warns of what was allowed", () => {
    expect(rowsOf({ host: { os: noble } }).get("os")?.because).toBe(
      'Ubuntu 24.04 LTS is not supported; to try it all the same, add "noble" or "ubuntu 24.04" to allow_os in the inventory',
    );
    expect(rowsOf({ host: { os: sid }, allowOs: ["sid"] }).get("os")?.warning).toMatch(/not supported/);
  });
});

describe("the kind of machine", () => {
  it.each([
    ["kvm", undefined, "proven"],
    ["none", undefined, "proven"],
    ["qemu", undefined, "blocked"],
    ["openvz", undefined, "blocked"],
    ["systemd-nspawn", undefined, "blocked"],
    ["systemd-nspawn", ["kvm", "systemd-nspawn"], "proven"],
    ["qemu", ["qemu"], "proven"],
    ["kvm", ["none"], "blocked"],
    ["", undefined, "unknown"],
  ])("%s with %j", (virtualization, accepted, verdict) => {
    const parameters = accepted === undefined ? {} : { virtualization: accepted };
    expect(rowsOf({ host: { virtualization }, parameters }).get("virtualization")?.verdict).toBe(verdict);
  });

  it("is named in the way out", () => {
    expect(rowsOf({ host: { virtualization: "openvz" } }).get("virtualization")?.because).toBe(
      'this is an openvz machine; use kvm or none, or add "openvz" to preflight.virtualization',
    );
  });
});

describe("memory", () => {
  const claims = {
    zookeeper: { memory: [{ bytes: 1024 * MIB, what: "ZooKeeper's heap" }] },
    mysql: { memory: [{ bytes: 768 * MIB, what: "buffer pool" }] },
  };

  it("suffices when all claims and the reserve just fit", () => {
    expect(rowsOf({ claims }).get("memory")).toMatchObject({
      verdict: "proven",
      want: "at least 2048 MiB",
      inForce: { value: "2048 MiB" },
    });
  });

  it("is short by what the claims add up to", () => {
    expect(rowsOf({ claims, parameters: { memory_reserve: "512M" } }).get("memory")).toMatchObject({
      verdict: "blocked",
      because:
        "1024 MiB ZooKeeper's heap + 768 MiB buffer pool + 512 MiB reserve is more than the 2048 MiB here: lower one of them or use a larger host",
    });
  });
});

describe("open files", () => {
  const claims = {
    zookeeper: { openFiles: [{ count: 4096, what: "ZooKeeper" }] },
    haproxy: { openFiles: [{ count: openFilesNeeded(50_000, 2), what: "HAProxy with maxconn 50000" }] },
  };
  const row = (world: World) => rowsOf(world).get("open files");

  it("are compared with the largest claim", () => {
    expect(row({ claims })).toMatchObject({ verdict: "proven", want: "at least 100116" });
  });

  it("say how low maxconn must be, as the haproxy step does", () => {
    expect(
      row({ claims, haproxy: { maxconn: 50_000 }, host: { hardOpenFiles: 20_000, cpus: 2 } })?.because,
    ).toMatch(/^HAProxy with maxconn 50000 needs 100116 .* allows 20000: lower haproxy\.maxconn to 9942 or/);
  });

  it.each([
    ["haproxy has no parameters", undefined],
    ["the claim has nothing to do with maxconn", { maxconn: 100 }],
  ])("name no maxconn when %s", (_, haproxy) => {
    const because = row({ claims, ...(haproxy && { haproxy }), host: { hardOpenFiles: 20_000 } })?.because;
    expect(because).toMatch(/allows 20000: raise the hard limit/);
  });

  it("are no row when no step says what it needs", () => {
    expect(row({})).toBeUndefined();
  });
});

describe("ports", () => {
  const row = (setting: string, listeners: readonly Listener[], claims: Record<string, Claims>) =>
    rowsOf({ host: { listeners }, claims }).get(setting);
  const proxy = { haproxy: haproxyPorts };

  it.each<[string, Listener, string, string]>([
    ["nothing there", { address: "127.0.0.1", port: 80, process: "nginx" }, "proven", "free"],
    ["the process itself", { address: "127.0.0.1", port: 8080, process: "haproxy" }, "proven", "haproxy"],
    ["another process", { address: "127.0.0.1", port: 8080, process: "nginx" }, "blocked", "nginx"],
    ["another on 0.0.0.0", { address: "0.0.0.0", port: 8080, process: "nginx" }, "blocked", "nginx"],
    ["another on ::", { address: "::", port: 8080, process: "tomcat" }, "blocked", "tomcat"],
    ["another on ::ffff:", { address: "::ffff:127.0.0.1", port: 8080, process: "java" }, "blocked", "java"],
    ["another on another address", { address: "10.0.0.1", port: 8080, process: "nginx" }, "proven", "free"],
    ["nobody knows who", { address: "::", port: 8080, process: "" }, "blocked", "an unknown process"],
  ])("with %s", (_, listener, verdict, found) => {
    expect(row("port 127.0.0.1:8080", [listener], proxy)).toMatchObject({
      verdict,
      inForce: { value: found },
    });
  });

  it("name the process and what to do", () => {
    const nginx = { address: "0.0.0.0", port: 8080, process: "nginx" };
    expect(row("port 127.0.0.1:8080", [nginx], proxy)?.because).toBe(
      "nginx listens on 0.0.0.0:8080, which haproxy needs (service user-api): stop it, move it, or change the port in the inventory",
    );
  });

  it("claimed on every address clash with a listener on one", () => {
    const claims = { x: { ports: [{ port: 9, address: "0.0.0.0", process: "x", what: "y" }] } };
    const other = { address: "10.0.0.1", port: 9, process: "z" };
    expect(row("port 0.0.0.0:9", [other], claims)?.verdict).toBe("blocked");
  });

  it("held by ZooKeeper's AdminServer are left to the zookeeper step", () => {
    const listeners = [
      { address: "::ffff:10.0.0.1", port: 2181, process: "java" },
      { address: "::", port: 8080, process: "java" },
    ];
    expect(
      row("port 127.0.0.1:8080", listeners, { zookeeper: zookeeperPorts, haproxy: haproxyPorts }),
    ).toMatchObject({ verdict: "pending", closedBy: { step: "zookeeper" } });
  });

  it("held by some other Java program are not", () => {
    const tomcat = { address: "::", port: 8080, process: "java" };
    expect(
      row("port 127.0.0.1:8080", [tomcat], { zookeeper: zookeeperPorts, haproxy: haproxyPorts })?.verdict,
    ).toBe("blocked");
  });

  it("that two steps claim for different processes clash", () => {
    const claims = {
      haproxy: haproxyPorts,
      zookeeper: { ports: [{ port: 8080, address: "0.0.0.0", process: "java", what: "AdminServer" }] },
    };
    expect(row("port 127.0.0.1:8080", [], claims)).toMatchObject({
      verdict: "blocked",
      because:
        "haproxy (service user-api) and zookeeper (AdminServer) both want 0.0.0.0:8080: give one of them another port in the inventory",
    });
  });

  it("that two steps claim for one process are one row", () => {
    const rows = rowsOf({ claims: { haproxy: haproxyPorts, watcher: haproxyPorts } });
    expect([...rows.keys()].filter((setting) => setting.startsWith("port "))).toEqual([
      "port 127.0.0.1:8080",
    ]);
    expect(rows.get("port 127.0.0.1:8080")?.verdict).toBe("proven");
  });
});

describe("the local port range", () => {
  const wide = { localPortRange: { first: 1024, last: 65023 } };
  const row = (facts: Partial<PreflightFacts>, more: Record<string, Claims> = {}) =>
    rowsOf({ facts, claims: { haproxy: haproxyPorts, zookeeper: zookeeperPorts, ...more } }).get(
      "local port range",
    );

  it("may hold ports that are reserved", () => {
    const reservedPorts = [
      { first: 2181, last: 2181 },
      { first: 8000, last: 8100 },
    ];
    expect(row({ ...wide, reservedPorts })?.verdict).toBe("proven");
  });

  it("is left to the sysctl step when the playbook has it", () => {
    expect(row(wide, { sysctl: {} })).toMatchObject({ verdict: "pending", closedBy: { step: "sysctl" } });
  });

  it("stops the host when nothing will reserve them", () => {
    expect(row(wide)).toMatchObject({
      verdict: "blocked",
      because:
        "outgoing connections may take 2181, 8080 of 1024-65023 before the mesh does: add the sysctl step to the playbook, it reserves them",
    });
  });
});

describe("the clock", () => {
  const row = (skewMs: number, peers: World["peers"] = {}, parameters = {}) =>
    rowsOf({ host: { clock: { skewMs, uncertaintyMs: 20 } }, peers, parameters }).get("clock");

  it.each<[string, number, World["peers"], string]>([
    ["alone and as ours", 90, {}, "proven"],
    ["alone and away from ours", 90_000, {}, "blocked"],
    ["alone and behind ours", -90_000, {}, "blocked"],
    ["as ours, beside a host that could not be seen", 0, { "kvm-02": undefined }, "proven"],
    ["away from ours, beside a host that could not be seen", 90_000, { "kvm-02": undefined }, "blocked"],
    ["beside two of which one could not be seen", 0, { "kvm-02": undefined, "kvm-03": [0, 20] }, "proven"],
    ["with a round trip too long to tell", 0, { "kvm-02": [0, 490] }, "unknown"],
    ["away however long the round trip", 5000, { "kvm-02": [0, 490] }, "blocked"],
    ["beside one of two that tells", 0, { "kvm-02": [0, 490], "kvm-03": [0, 20] }, "proven"],
    ["with another that is as far from us", 90_000, { "kvm-02": [89_900, 20] }, "proven"],
    ["within what the round trips leave open", 530, { "kvm-02": [0, 20] }, "proven"],
    ["beyond that", 560, { "kvm-02": [0, 20] }, "blocked"],
    ["behind by as much", -560, { "kvm-02": [0, 20] }, "blocked"],
    ["away from both others", 5000, { "kvm-02": [0, 20], "kvm-03": [10, 20] }, "blocked"],
  ])("%s", (_, skewMs, peers, verdict) => {
    expect(row(skewMs, peers)?.verdict).toBe(verdict);
  });

  it("warns a host whose one peer of two is away", () => {
    expect(row(0, { "kvm-02": [0, 20], "kvm-03": [5000, 20] })).toMatchObject({
      verdict: "proven",
      warning: "the clocks of kvm-03 are more than 500 ms away",
    });
  });

  it("says how far and from whom", () => {
    expect(row(-5000, { "kvm-02": [0, 20] })?.because).toMatch(
      /^the clock is 5000 ms \(± 40\) behind kvm-02: let NTP set it/,
    );
  });

  it.each([
    ["nothing sets", [], "kvm", /the next boot starts nothing that sets the clock/],
    [
      "what sets does not run",
      [["chrony.service", "x", "idle", "chronyd", ""]],
      "kvm",
      /^chrony\.service does not run/,
    ],
    ["a daemon in Rust sets", [["ntpd-rs.service", "x", "running", "", ""]], "kvm", undefined],
    ["systemd sets", [["systemd-timesyncd.service", "x", "running", "", ""]], "kvm", undefined],
    [
      "one of two sets",
      [
        ["ntpsec.service", "x", "idle", "", ""],
        ["chrony.service", "x", "running", "", ""],
      ],
      "none",
      undefined,
    ],
    ["the host of a container sets", [], "systemd-nspawn", undefined],
  ])("that %s", (_, units, virtualization, warning) => {
    const facts = { boot: bootPlan([["multi-user.target", "", "", "", ""], ...units]) };
    const parameters = { virtualization: [virtualization] };
    const told = rowsOf({ host: { virtualization }, facts, parameters }).get("clock");
    expect(told).toMatchObject({ verdict: "proven" });
    expect(told?.warning ?? "").toMatch(warning ?? /^$/);
  });

  it("alone does not say whose clock is wrong", () => {
    expect(row(90_000)?.because).toMatch(
      /^the clock is 90000 ms \(± 20\) ahead of this machine's, and either may be wrong \(timedatectl here/,
    );
    const uncertain = rowsOf({ host: { clock: { skewMs: 0, uncertaintyMs: 600 } } }).get("clock");
    expect(uncertain?.verdict).toBe("unknown");
    expect(uncertain?.because).toMatch(/600 ms/);
  });

  it("names those that could not be compared with", () => {
    expect(row(0, { "kvm-02": [0, 490] })?.because).toMatch(/kvm-02.* 510 ms/);
  });

  it("has the limit that the playbook says", () => {
    expect(row(1500, { "kvm-02": [0, 20] }, { clock_skew_max: "2s" })?.verdict).toBe("proven");
  });
});

describe("the address", () => {
  const row = (address: string, addresses: readonly string[], world: World = {}) =>
    rowsOf({ ...world, address, host: { addresses } }).get("address");

  it.each([
    ["on an interface", "10.0.0.1", ["127.0.0.1", "10.0.0.1"], "proven"],
    ["written in another way", "fd00:0::A", ["fd00::a"], "proven"],
    ["on no interface", "10.0.0.7", ["10.0.0.1"], "blocked"],
    ["a name", "kvm-01.example", ["10.0.0.1"], "blocked"],
    ["loopback beside other hosts", "127.0.0.1", ["127.0.0.1"], "blocked"],
    ["IPv6 loopback beside other hosts", "::1", ["::1"], "blocked"],
  ])("%s", (_, address, addresses, verdict) => {
    expect(row(address, addresses)?.verdict).toBe(verdict);
  });

  it("may be loopback when the mesh is this host alone", () => {
    expect(row("127.0.0.1", ["127.0.0.1"], { members: 1 })?.verdict).toBe("proven");
  });

  it("is told beside those that the host has", () => {
    expect(row("10.0.0.7", ["127.0.0.1", "10.0.0.1"])?.because).toMatch(
      /10\.0\.0\.7 is on none .* which have 10\.0\.0\.1:/,
    );
  });

  it.each([
    ["10.1.2.3", false],
    ["172.31.255.254", false],
    ["172.32.0.1", true],
    ["192.168.1.1", false],
    ["198.18.0.11", false],
    ["100.64.0.1", false],
    ["203.0.114.1", true],
    ["8.8.8.8", true],
    ["fd00::1", false],
    ["2001:db8::1", false],
    ["2a00:1450::1", true],
  ])("%s is warned of: %s", (address, isPublic) => {
    const found = row(address, [address]);
    expect(found?.verdict).toBe("proven");
    expect(found?.warning !== undefined).toBe(isPublic);
  });
});

describe("the ensemble", () => {
  it.each([
    [1, "1 member, survives the loss of 0", undefined],
    [2, "2 members, survives the loss of 0", /an ensemble of 2 survives the loss of 0, as one of 1 does/],
    [3, "3 members, survives the loss of 1", undefined],
    [4, "4 members, survives the loss of 1", /an ensemble of 4 survives the loss of 1, as one of 3 does/],
  ])("of %i", (members, found, warning) => {
    const row = rowsOf({ members }).get("ensemble size");
    expect(row).toMatchObject({ verdict: "proven", inForce: { value: found } });
    expect(row?.warning).toEqual(warning && expect.stringMatching(warning));
  });

  it("is no business of other hosts", () => {
    expect(rowsOf({ name: "db-01" }).has("ensemble size")).toBe(false);
  });
});

describe("disks", () => {
  it("must be writable", () => {
    const directories = [
      { path: "/etc", writable: true },
      { path: "/var", writable: false },
    ];
    expect(rowsOf({ facts: { directories } }).get("file systems writable")).toMatchObject({
      verdict: "blocked",
      inForce: { value: "/etc" },
      because: expect.stringMatching(/^\/var cannot be written/),
    });
  });

  it("must have room, for bytes and for files", () => {
    const space = [
      { path: "/usr", freeBytes: 100 * MIB, freeInodes: 50_000 },
      { path: "/var", freeBytes: 900 * MIB, freeInodes: 10 },
    ];
    const rows = rowsOf({ facts: { space } });
    expect(rows.get("disk space")?.because).toMatch(/^\/usr has 100 MiB left where 512 MiB is wanted/);
    expect(rows.get("free inodes")?.because).toMatch(/^\/var has room for 10 more files/);
  });

  it("without a fixed number of inodes are not counted", () => {
    const space = [{ path: "/usr", freeBytes: 900 * MIB, freeInodes: undefined }];
    expect(rowsOf({ facts: { space } }).has("free inodes")).toBe(false);
  });
});
