import { describe, expect, it } from "vitest";
import { laterValues, valueIn } from "../../../src/steps/sysctl/later.ts";
import { assessed, conf, DROP_IN_TEXT, facts, hostWith, tunedKernel, wroteDropIn } from "./world.ts";

const FIN = "net/ipv4/tcp_fin_timeout";
const RANGE = "net/ipv4/ip_local_port_range";

describe("what a line makes of a key", () => {
  it.each([
    ["sysctl -q -w net.ipv4.tcp_fin_timeout=60", "60"],
    ["/sbin/sysctl -w net/ipv4/tcp_fin_timeout=60 net.core.somaxconn=1", "60"],
    ["sysctl net.ipv4.tcp_fin_timeout='60'", "60"],
    ["@reboot root sysctl -w net.ipv4.tcp_fin_timeout=60 >/dev/null 2>&1", "60"],
    ["-/bin/sh -c 'sysctl -w net.ipv4.tcp_fin_timeout=60'", "60"],
    ["post-up sysctl -w net.ipv4.tcp_fin_timeout=60 || true", "60"],
    ["echo 60 > /proc/sys/net/ipv4/tcp_fin_timeout", "60"],
    ["echo 60 >/proc/sys/net/ipv4/tcp_fin_timeout 2>/dev/null || :", "60"],
    ['test -e /x && echo "60" > "/proc/sys/net/ipv4/tcp_fin_timeout"', "60"],
    ["if true; then echo -n 60 >/proc/sys/net/ipv4/tcp_fin_timeout; fi", "60"],
    ["printf '%s\\n' 60 >/proc/sys/net/ipv4/tcp_fin_timeout", "60"],
    ["printf '60\\n' >/proc/sys/net/ipv4/tcp_fin_timeout", "60"],
    ["echo 60 | sudo tee /proc/sys/net/ipv4/tcp_fin_timeout", "60"],
    ["echo 60 | /usr/bin/tee /proc/sys/net/ipv4/tcp_fin_timeout >/dev/null", "60"],
    ["tee /proc/sys/net/ipv4/tcp_fin_timeout <<<60", "60"],
    ["net/ipv4/tcp_fin_timeout=60", "60"],
    ["-net.ipv4.tcp_fin_timeout = 60", "60"],
    ["net.ipv4.*_fin_timeout = 60", "60"],
    ["sysctl -w net.ipv4.tcp_fin_timeout=15; sysctl -w net.ipv4.tcp_fin_timeout=60", "60"],
    ['ACTION=="add", SUBSYSTEM=="net", SYSCTL{net/ipv4/tcp_fin_timeout}="60"', "60"],
    ['SUBSYSTEM=="net", RUN+="/sbin/sysctl -w net.ipv4.tcp_fin_timeout=60"', "60"],
    ["install nf_conntrack /sbin/modprobe -i nf_conntrack; sysctl -w net.ipv4.tcp_fin_timeout=60", "60"],
    ['open("/proc/sys/net/ipv4/tcp_fin_timeout", "w").write("60")', "60"],
    ["open('/proc/sys/net/ipv4/tcp_fin_timeout','w').write('60\\n')", "60"],
    ['Path("/proc/sys/net/ipv4/tcp_fin_timeout").write_text("60")', "60"],
    ['open("/proc/sys/net/ipv4/tcp_fin_timeout", "w").write(str(seconds))', undefined],
    ['with open("/proc/sys/net/ipv4/tcp_fin_timeout", "w") as key:', undefined],
    ['File.write("/proc/sys/net/ipv4/tcp_fin_timeout", "60")', undefined],
    ['sysctl -w net.ipv4.tcp_fin_timeout="$TIMEOUT"', undefined],
    ["echo $TIMEOUT >/proc/sys/net/ipv4/tcp_fin_timeout", undefined],
    ["cat /etc/fin >/proc/sys/net/ipv4/tcp_fin_timeout", undefined],
    ["cd /proc/sys/net/ipv4; echo 60 >tcp_fin_timeout", undefined],
    ["for k in fin_timeout sack; do sysctl -qw net.ipv4.tcp_$k=60; done", undefined],
    ['echo 60 >"/proc/sys/net/ipv4/tcp_${k}"', undefined],
    ["for key in tcp_fin_timeout=60 tcp_sack=1; do sysctl -w net.ipv4.$key; done", undefined],
  ])("%s", (text, value) => {
    expect(valueIn(text, FIN)).toEqual({ value });
  });

  it.each([
    "sysctl -n net.ipv4.tcp_fin_timeout",
    "cat /proc/sys/net/ipv4/tcp_fin_timeout",
    'open("/proc/sys/net/ipv4/tcp_fin_timeout").read()',
    "sysctl -w net.ipv4.tcp_fin_timeout_other=60",
    "sysctl -w net.ipv6.tcp_fin=60",
    'RUN+="/usr/lib/systemd/systemd-sysctl --prefix=/net/ipv4/conf/$name --prefix=/net/ipv4/neigh/$name"',
    "net.ipv4.conf.*.rp_filter = 2",
    "sysctl -w net.ipv4.conf.$IFACE.rp_filter=2",
    "echo 1 >/proc/sys/net/ipv4/conf/$IFACE/forwarding",
    "value=$(cat /proc/sys/net/ipv4/tcp_$k)",
    "sysctl -n net.ipv4.tcp_$k",
  ])("%s says nothing of it", (text) => {
    expect(valueIn(text, FIN)).toBeUndefined();
  });

  it.each([
    ['sysctl -w net.ipv4.ip_local_port_range="1024 65023"', "1024 65023"],
    ["sysctl -w 'net.ipv4.ip_local_port_range = 32768\t60999'", "32768 60999"],
    ["echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range", "32768 60999"],
    ["net.ipv4.ip_local_port_range=32768 60999", "32768 60999"],
  ])("%s holds several words", (text, value) => {
    expect(valueIn(text, RANGE)).toEqual({ value });
  });

  it.each([
    ["w /proc/sys/net/ipv4/tcp_fin_timeout - - - - 60", "60"],
    ["w! /proc/sys/net/ipv4/tcp_fin_timeout - - - - 60\\n", "60"],
    ["w+ /proc/sys/net/ipv4/*_fin_timeout - - - - 60", "60"],
  ])("%s of tmpfiles.d", (text, value) => {
    expect(valueIn(text, FIN, "tmpfiles")).toEqual({ value });
  });

  it("is not known where a line goes to the kernel's directory and writes what fits the key", () => {
    for (const text of [
      "cd /proc/sys/net/ipv4 && for f in tcp_fin_time*; do echo 99 > $f; done",
      'cd "/proc/sys"; echo 99 >net/ipv4/tcp_fin_timeou?',
      "cd /proc/sys/net/ipv4/ && echo 99 | tee tcp_f*",
    ])
      expect([text, valueIn(text, FIN)]).toEqual([text, { value: undefined }]);
    for (const text of [
      "cd /proc/sys/net/ipv4 && echo 1 >ip_forward",
      "cd /proc/sys/net/ipv4 && cat tcp_fin*",
      "cd /proc/sys/net/core && for f in *max*; do echo 99 >$f; done",
    ])
      expect([text, valueIn(text, FIN)]).toEqual([text, undefined]);
  });

  it("is the same of another name of the key", () => {
    expect(valueIn("sysctl -w net.ipv4.conf.all.forwarding=1", "net/ipv4/ip_forward")).toEqual({
      value: "1",
    });
  });

  it("is not known of a shell at a login, which may not be root's, and nothing of our own file", () => {
    const line = { path: "/etc/profile", line: 3, text: `sysctl -w ${FIN}=60`, by: "login" };
    expect(laterValues([line], FIN)).toMatchObject([{ value: undefined, source: "/etc/profile:3" }]);
    expect(laterValues([{ ...line, path: "/etc/sysctl.d/99-zz-meshctl.conf" }], FIN)).toEqual([]);
  });
});

const converged = facts(tunedKernel, [], DROP_IN_TEXT);
const withLater = (text: string, by = "rc.local", path = "/etc/rc.local") => ({
  ...converged,
  later: { is: "value", value: [{ path, line: 3, text, by }] } as const,
});

describe("a host on which something sets a key after the files are read", () => {
  it("is refused with the line when that is another value", () => {
    const { rows, changes } = assessed(withLater("sysctl -w net.ipv4.tcp_fin_timeout=60"));
    expect(rows.get("net.ipv4.tcp_fin_timeout")).toMatchObject({
      verdict: "blocked",
      onDisk: { value: "60", source: "/etc/rc.local:3" },
      because: expect.stringMatching(
        /^\/etc\/rc\.local:3 sets net\.ipv4\.tcp_fin_timeout to "60", and rc-local\.service runs it after/,
      ),
    });
    expect(rows.get("net.core.somaxconn")?.verdict).toBe("proven");
    expect(changes).toEqual([]);
  });

  it("is proven when that is the same value, however it is written", () => {
    for (const value of ["15", "0xf", "017"]) {
      const { rows } = assessed(withLater(`sysctl -w net.ipv4.tcp_fin_timeout=${value}`));
      expect([...rows.values()].every(({ verdict }) => verdict === "proven")).toBe(true);
    }
  });

  it("is warned of when nobody can tell", () => {
    const { rows } = assessed(withLater("sysctl -w net.ipv4.tcp_fin_timeout=$X", "x.service"));
    expect(rows.get("net.ipv4.tcp_fin_timeout")).toMatchObject({
      verdict: "proven",
      warning: expect.stringContaining("/etc/rc.local:3 names it, and x.service starts it"),
    });
  });

  it("keeps the ports that such a line reserves, and says with which list it may stay", () => {
    const { rows } = assessed(withLater("echo 9998 >/proc/sys/net/ipv4/ip_local_reserved_ports"));
    expect(rows.get("net.ipv4.ip_local_reserved_ports")).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining('let it say "3306,9998,33060"'),
    });
  });

  it("is unknown, and not changed, when that was not read", () => {
    const { rows, changes } = assessed({
      ...converged,
      values: new Map([...converged.values, [FIN, "60"]]),
      later: { is: "unreadable", because: "it took more than 10 s" },
    });
    expect(rows.get("net.core.somaxconn")).toMatchObject({
      verdict: "unknown",
      because: expect.stringContaining("it took more than 10 s"),
    });
    expect(changes).toEqual([]);
  });
});

describe("values by meaning", () => {
  it.each([
    ["vm.dirty_ratio = 20\nvm.dirty_bytes = 1000000", "vm.dirty_ratio", "20", "blocked"],
    ["net.ipv4.ip_forward = 1\nnet.ipv4.conf.all.forwarding = 0", "net.ipv4.ip_forward", "1", "blocked"],
    ["fs.file-max = 0x7fffffffffffffff", "fs.file-max", "9223372036854775807", "missing"],
    ["fs.file-max = 9223372036854775806", "fs.file-max", "9223372036854775807", "blocked"],
  ])("%s", (text, key, value, verdict) => {
    const found = facts(
      { ...tunedKernel, [key]: value },
      [conf("/etc/sysctl.d/99-zzz.conf", text)],
      DROP_IN_TEXT,
    );
    const { rows } = assessed(found, { [key]: value });
    expect(rows.get(key)?.verdict === "blocked").toBe(verdict === "blocked");
  });
});

describe("a key that a module brings", () => {
  const key = "net.netfilter.nf_conntrack_max";
  const late = {
    ...facts({ ...tunedKernel, [key]: "1000" }, [], `${DROP_IN_TEXT}${key} = 1000\n`),
    lateModules: new Map([["net/netfilter/nf_conntrack_max", "nf_conntrack"]]),
  };

  it("is refused where nothing loads the module before the files are read", () => {
    expect(assessed(late, { [key]: 1000 }).rows.get(key)).toMatchObject({
      verdict: "blocked",
      because: expect.stringContaining("put nf_conntrack into /etc/modules-load.d/nf_conntrack.conf"),
    });
  });

  it("is warned of in a container, whose machine loads it", () => {
    const host = { ...hostWith(), virtualization: "systemd-nspawn" };
    const row = assessed(late, { [key]: 1000 }, host).rows.get(key);
    expect(row?.verdict).not.toBe("blocked");
    expect(row?.warning).toContain("has loaded nf_conntrack");
  });
});

describe("ports of other services within the local range", () => {
  const listens = (port: number, process = "node_exporter") => ({
    ...wroteDropIn,
    listeners: [{ address: "::", port, process }],
  });

  it("are told with a warning, which proves nothing wrong", () => {
    const { rows } = assessed(converged, {}, listens(9100));
    expect(rows.get("net.ipv4.ip_local_port_range")).toMatchObject({
      verdict: "proven",
      warning: expect.stringMatching(/^node_exporter listens on 9100, within 1024–65023 and not reserved/),
    });
  });

  it.each([22, 3306, 65_100])("port %i is no matter", (port) => {
    const { rows } = assessed(converged, {}, listens(port));
    expect(rows.get("net.ipv4.ip_local_port_range")?.warning).toBeUndefined();
  });
});
