import { describe, expect, it } from "vitest";
import { sha256Of } from "../../../src/evidence/file.ts";
import { BEFORE, DROP_IN } from "../../../src/steps/sysctl/drop-in.ts";
import { sysctl } from "../../../src/steps/sysctl/index.ts";
import {
  assessed,
  bareKernel,
  conf,
  DROP_IN_TEXT,
  desiredFor,
  facts,
  hostView,
  hostWith,
  tunedKernel,
  wroteDropIn,
} from "./world.ts";

const FIN = "net.ipv4.tcp_fin_timeout";
const RANGE = "net.ipv4.ip_local_port_range";
const RESERVED = "net.ipv4.ip_local_reserved_ports";

const converged = facts(tunedKernel, [], DROP_IN_TEXT);

describe("the reserved ports", () => {
  it.each([
    ["an ensemble member", hostView("zk-1", "10.0.0.1"), "2181,2888,3306,3888,33060"],
    ["a proxy", hostView("proxy-1", "10.0.0.2"), "3306,8080-8081,33060"],
    ["a host with a server given by address", hostView("app-1", "10.0.0.9"), "3306,9000,33060"],
    ["a host with a server given by name", hostView("app-2", "10.0.0.8"), "3306,9001,33060"],
    [
      "a host with an SSH port of its own",
      { ...hostView("db-1", "10.0.0.21"), ssh: { port: 2222 } },
      "2222,3306,33060",
    ],
    ["any other host", { ...hostView("db-1", "10.0.0.21"), ssh: { port: 22 } }, "3306,33060"],
  ])("are those %s listens on", (_, host, ports) => {
    const desired = desiredFor({}, host);
    const { readings } = sysctl.assess(
      {
        name: host.name,
        desired,
        facts: facts(bareKernel),
        host: hostWith(),
        claims: new Map(),
      },
      new Map(),
    );
    expect(readings.find(({ setting }) => setting === RESERVED)?.want).toBe(ports);
  });

  it("keep what the kernel, any file and the playbook reserve", () => {
    const { rows } = assessed(
      facts({ ...bareKernel, [RESERVED]: "5000,8472" }, [
        conf("/etc/sysctl.d/30-k8s.conf", `${RESERVED} = 30000-32767`),
        conf("/etc/sysctl.d/40-other.conf", `${RESERVED} = 3307`),
      ]),
      { [RESERVED]: "9100-9110" },
    );
    expect(rows.get(RESERVED)?.want).toBe("3306-3307,5000,8472,9100-9110,30000-32767,33060");
  });

  it("are as wanted when more is reserved than we know of", () => {
    const more = DROP_IN_TEXT.replace("= 3306,33060", "= 3306,7000-7010,33060");
    const { rows, changes } = assessed(
      facts({ ...tunedKernel, [RESERVED]: "3306,7000-7010,33060" }, [], more),
      {},
      hostWith(new Map([[DROP_IN, sha256Of(more)]])),
    );
    expect(rows.get(RESERVED)).toMatchObject({ verdict: "proven", want: "3306,7000-7010,33060" });
    expect(changes).toEqual([]);
  });

  it("are merged again when another tool replaced the list", () => {
    const { rows, changes } = assessed(facts({ ...tunedKernel, [RESERVED]: "7000" }, [], DROP_IN_TEXT));
    expect(rows.get(RESERVED)).toMatchObject({ verdict: "different", want: "3306,7000,33060" });
    expect(changes[0]?.commands[1]).toMatchObject({ args: [RESERVED, "3306,7000,33060"] });
  });
});

describe("a bare host", () => {
  const { rows, changes } = assessed(facts(bareKernel), {}, hostWith());

  it("misses every setting on disk, whatever is in force", () => {
    expect([...rows.values()].map(({ setting, verdict }) => [setting, verdict])).toEqual([
      ["systemd-sysctl.service", "proven"],
      [DROP_IN, "missing"],
      ["net.ipv4.tcp_tw_reuse", "missing"],
      [RANGE, "missing"],
      ["net.ipv4.tcp_max_syn_backlog", "missing"],
      [FIN, "missing"],
      ["net.core.somaxconn", "missing"],
      [RESERVED, "missing"],
      ["net.ipv4.tcp_timestamps", "proven"],
    ]);
    expect(rows.get(FIN)).toMatchObject({
      want: "15",
      onDisk: { is: "absent", source: DROP_IN },
      inForce: { is: "read", value: "60", source: "/proc/sys/net/ipv4/tcp_fin_timeout" },
      closedBy: { change: "drop-in" },
    });
  });

  it("gets one change: a record of what was, the kernel, ports reserved before the range grows, then the file", () => {
    expect(changes).toMatchObject([
      {
        id: "drop-in",
        why: "6 settings are not as wanted",
        commands: [
          {
            kind: "write",
            path: "/var/lib/meshctl/sysctl-before",
            content: [
              expect.stringMatching(
                /^net\.ipv4\.ip_local_reserved_ports = \n(.*\n)*.*tcp_fin_timeout = 60\n/m,
              ),
            ],
            mode: "0600",
          },
          {
            kind: "script",
            args: [
              ...[RESERVED, "3306,33060"],
              ...["net.core.somaxconn", "10240"],
              ...[RANGE, "1024 65023"],
              ...[FIN, "15"],
              ...["net.ipv4.tcp_max_syn_backlog", "10240"],
              ...["net.ipv4.tcp_tw_reuse", "1"],
            ],
          },
          { kind: "write", path: DROP_IN, content: [DROP_IN_TEXT], mode: "0644", owner: "root:root" },
        ],
        activate: [],
      },
    ]);
  });
});

describe("a converged host", () => {
  it("is proven row by row and left alone", () => {
    const { rows, changes } = assessed(converged);
    expect([...rows.values()].filter(({ verdict }) => verdict !== "proven")).toEqual([]);
    expect(rows.get(FIN)?.onDisk).toEqual({ is: "read", value: "15", source: `${DROP_IN}:5` });
    expect(changes).toEqual([]);
  });

  it("may have the value from a foreign file that agrees", () => {
    const file = conf("/etc/sysctl.d/99-zzz.conf", `${FIN} = 15`);
    const { rows, changes } = assessed(facts(tunedKernel, [file], DROP_IN_TEXT));
    expect(rows.get(FIN)).toMatchObject({
      verdict: "proven",
      onDisk: { source: "/etc/sysctl.d/99-zzz.conf:1" },
    });
    expect(changes).toEqual([]);
  });
});

describe("a host that drifted", () => {
  it("gets the live value back without a write of the drop-in when only the kernel differs", () => {
    const { rows, changes } = assessed(facts({ ...tunedKernel, [FIN]: "60" }, [], DROP_IN_TEXT));
    expect(rows.get(FIN)?.verdict).toBe("not-in-force");
    expect(changes).toMatchObject([
      {
        id: "drop-in",
        commands: [
          { kind: "write", path: BEFORE },
          { kind: "script", args: [FIN, "15"] },
        ],
        activate: [],
      },
    ]);
  });

  it("gets the file back without a touch of the kernel when only the file differs", () => {
    const edited = DROP_IN_TEXT.replace("= 15", "= 16");
    const { rows, changes } = assessed(facts(tunedKernel, [], edited));
    expect(rows.get(FIN)).toMatchObject({ verdict: "different", onDisk: { value: "16" } });
    expect(rows.get(DROP_IN)?.diff).toEqual({ path: DROP_IN, was: edited, want: DROP_IN_TEXT });
    expect(changes).toMatchObject([
      {
        commands: [
          { kind: "write", path: BEFORE },
          { kind: "write", path: DROP_IN },
        ],
        activate: [],
      },
    ]);
  });

  it("is overruled by our later name when the foreign file sorts before it", () => {
    const file = conf("/etc/sysctl.d/99-sysctl.conf", `# x\n${FIN} = 30`);
    const { rows, changes } = assessed(facts(bareKernel, [file]), {}, hostWith());
    expect(rows.get(FIN)).toMatchObject({
      verdict: "different",
      onDisk: { value: "30", source: "/etc/sysctl.d/99-sysctl.conf:2" },
    });
    expect(changes).toHaveLength(1);
  });
});

describe("a file that wins over ours", () => {
  it.each([
    {
      says: "by its name",
      files: [conf("/etc/sysctl.d/99-zzz.conf", `# x\n${FIN}=30`)],
      onDisk: { is: "read", value: "30", source: "/etc/sysctl.d/99-zzz.conf:2" },
      because: /99-zzz\.conf:2 sets .* to "30" and systemd-sysctl reads it after/,
    },
    {
      says: "in slashes",
      files: [conf("/run/sysctl.d/99-zzz.conf", "net/ipv4/tcp_fin_timeout=30")],
      onDisk: { is: "read", value: "30", source: "/run/sysctl.d/99-zzz.conf:1" },
      because: /99-zzz\.conf:1/,
    },
    {
      says: "because sysctl --system reads /etc/sysctl.conf last",
      files: [
        conf("/etc/sysctl.d/99-sysctl.conf", `${FIN} = 30`, "/etc/sysctl.conf"),
        conf("/etc/sysctl.conf", `${FIN} = 30`),
      ],
      onDisk: { is: "read", value: "30", source: "/etc/sysctl.conf:1 (sysctl --system)" },
      because: /\/etc\/sysctl\.conf:1 sets .* and sysctl --system reads it after/,
    },
    {
      says: "by taking the key out",
      files: [conf("/etc/sysctl.d/99-zzz.conf", `-${FIN}`)],
      onDisk: { is: "absent", source: "/etc/sysctl.d/99-zzz.conf:1" },
      because: /takes net\.ipv4\.tcp_fin_timeout out/,
    },
  ])("$says is refused with its line, and nothing is changed", ({ files, onDisk, because }) => {
    const { rows, changes } = assessed(facts(bareKernel, files), {}, hostWith());
    expect(rows.get(FIN)).toMatchObject({
      verdict: "blocked",
      cause: "shadowed",
      onDisk,
      because: expect.stringMatching(because),
    });
    expect(changes).toEqual([]);
  });

  it("is no obstacle when it reserves all the mesh needs, and is told what to say when not", () => {
    const file = (ports: string) => conf("/etc/sysctl.d/99-zzz.conf", `${RESERVED} = ${ports}`);
    expect(
      assessed(facts(bareKernel, [file("3000-4000,33060")])).rows.get(RESERVED)?.blocked,
    ).toBeUndefined();
    expect(assessed(facts(bareKernel, [file("7000")])).rows.get(RESERVED)?.because).toMatch(
      /99-zzz\.conf:1 .* let it say "3306,7000,33060"/,
    );
  });
});

describe("what cannot be set", () => {
  it("is a key that the kernel does not have", () => {
    const key = "net.netfilter.nf_conntrack_max";
    const bare = facts(bareKernel);
    const { rows, changes } = assessed(
      { ...bare, missing: new Set(["net/netfilter/nf_conntrack_max"]) },
      { [key]: 1_000_000 },
    );
    expect(rows.get(key)).toMatchObject({
      verdict: "blocked",
      inForce: { is: "absent" },
      because: expect.stringContaining("this kernel has no net.netfilter.nf_conntrack_max"),
    });
    expect(changes).toEqual([]);
  });

  it("is a port range that starts among the privileged ports", () => {
    const kernel = { ...bareKernel, "net.ipv4.ip_unprivileged_port_start": "2000" };
    expect(assessed(facts(kernel)).rows.get(RANGE)).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining('ask for "2000 65023"'),
    });
  });

  it("is a drop-in of somebody else's, until it is adopted", () => {
    const foreign = "net.ipv4.ip_forward = 1\n";
    const there = facts(bareKernel, [], foreign);
    const refused = assessed(there, {}, hostWith());
    expect(refused.rows.get(DROP_IN)).toMatchObject({ verdict: "blocked", diff: { was: foreign } });
    expect(refused.changes).toEqual([]);
    const adopted = assessed(there, { adopt: true }, hostWith());
    expect(adopted.rows.get(DROP_IN)?.verdict).toBe("different");
    expect(adopted.changes).toHaveLength(1);
  });

  it("is unknown, never proven, when the kernel lets no process read it", () => {
    const { "net.core.somaxconn": _, ...others } = tunedKernel;
    expect(assessed(facts(others, [], DROP_IN_TEXT)).rows.get("net.core.somaxconn")?.verdict).toBe("unknown");
  });
});

describe("what reads the files at boot", () => {
  it.each([
    ["masked", /is masked, so no file is read at boot: systemctl unmask systemd-sysctl/],
    ["not-found", /is not-found, so no file is read at boot: look at systemctl status/],
  ])("is %s: then nothing is proven, however right the files are", (loader, because) => {
    const { rows, changes } = assessed({ ...converged, loader: { is: "value", value: loader } });
    expect(rows.get("systemd-sysctl.service")).toMatchObject({ verdict: "blocked" });
    expect(rows.get("systemd-sysctl.service")?.because).toMatch(because);
    expect(rows.get(FIN)?.verdict).toBe("unknown");
    expect(changes).toEqual([]);
  });
});

describe("what is put back", () => {
  const args = (before: string | undefined, paths = [DROP_IN, BEFORE]) =>
    sysctl
      .service!.activate(
        { ...converged, before: before === undefined ? { is: "absent" } : { is: "value", value: before } },
        paths,
      )
      .flatMap((command) => (command.kind === "script" ? command.args : []));

  it("is what the kernel had, as it is on record, and then what the files say", () => {
    const before = DROP_IN_TEXT.replace("= 15", "= 60").replace("= 3306,33060", "= ");
    const given = args(before);
    expect(given.slice(0, 2)).toEqual(["net/ipv4/ip_local_reserved_ports", ""]);
    expect(given).toContain("60");
    expect(given.at(-1)).toBe("--");
  });

  it("is no success for keys of which nothing is on record", () => {
    const [dashes, ...unknown] = args(undefined, [DROP_IN]);
    expect(dashes).toBe("--");
    expect(unknown).toContain("net/ipv4/tcp_fin_timeout");
    expect(unknown).toHaveLength(6);
  });

  it("is healthy only as the files say", () => {
    expect(sysctl.service!.health(converged)).toEqual({ is: "healthy" });
    expect(sysctl.service!.health(facts({ ...tunedKernel, [FIN]: "60" }, [], DROP_IN_TEXT))).toEqual({
      is: "broken",
      because: `the kernel has ${FIN} = 60, and ${DROP_IN}:5 says 15`,
    });
  });
});

describe("what makes a setting inert", () => {
  const STAMPS = "net.ipv4.tcp_timestamps";

  it.each([
    ["in force", { ...tunedKernel, [STAMPS]: "0" }, []],
    ["at the next boot", tunedKernel, [conf("/etc/sysctl.d/10-cis.conf", `${STAMPS} = 0`)]],
  ])("is tcp_tw_reuse with time stamps off %s", (_, kernel, files) => {
    const { rows, changes } = assessed(facts(kernel, files, DROP_IN_TEXT));
    expect(rows.get(STAMPS)?.verdict).not.toBe("proven");
    expect(rows.get(STAMPS)?.because).toContain("net.ipv4.tcp_tw_reuse does nothing without time stamps");
    expect(changes).toEqual([]);
  });

  it("is closed by asking for the time stamps", () => {
    const { rows, changes } = assessed(facts({ ...tunedKernel, [STAMPS]: "0" }, [], DROP_IN_TEXT), {
      [STAMPS]: 1,
    });
    expect(rows.get(STAMPS)?.closedBy).toEqual({ change: "drop-in" });
    expect(changes[0]?.commands[1]).toMatchObject({ args: [STAMPS, "1"] });
  });

  it("does not matter when nothing is reused, and 2 is as good as 1", () => {
    expect(assessed(converged, { "net.ipv4.tcp_tw_reuse": 0 }).rows.has(STAMPS)).toBe(false);
    const { rows } = assessed(facts({ ...tunedKernel, [STAMPS]: "2" }, [], DROP_IN_TEXT));
    expect(rows.get(STAMPS)?.verdict).toBe("proven");
  });

  it("is warned of where the accept queue caps the backlog", () => {
    const { rows } = assessed(converged, { "net.core.somaxconn": 128 }, wroteDropIn);
    expect(rows.get("net.ipv4.tcp_max_syn_backlog")).toMatchObject({
      verdict: "proven",
      warning: expect.stringContaining("net.core.somaxconn (128)"),
    });
  });

  it.each([
    [
      { "net.ipv4.tcp_syncookies": 1 },
      /^the kernel heeds it only while net\.ipv4\.tcp_syncookies is 0, and that is 1/,
    ],
    [{ "net.ipv4.tcp_syncookies": 0 }, undefined],
    // Debian's default, which nobody should turn off: no news on every host every day.
    [{}, undefined],
  ])("is warned of where SYN cookies are asked for as %j", (parameters, warning) => {
    const { rows } = assessed(converged, parameters, wroteDropIn);
    const said = rows.get("net.ipv4.tcp_max_syn_backlog")?.warning;
    if (warning === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(warning);
  });
});
