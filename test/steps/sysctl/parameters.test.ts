import { describe, expect, it } from "vitest";
import { sysctl } from "../../../src/steps/sysctl/index.ts";
import { hostView, inventory } from "./world.ts";

const problemsOf = (given: unknown) =>
  sysctl.parameters
    .safeParse(given)
    .error?.issues.map(({ path, message }) => [path.join("/"), message] as const) ?? [];

describe("the sysctl step's parameters", () => {
  it("ask for the four keys and for the queue that makes the backlog matter", () => {
    expect(Object.fromEntries(sysctl.parameters.parse({}).settings)).toEqual({
      "net.ipv4.tcp_tw_reuse": "1",
      "net.ipv4.ip_local_port_range": "1024 65023",
      "net.ipv4.tcp_max_syn_backlog": "10240",
      "net.ipv4.tcp_fin_timeout": "15",
      "net.core.somaxconn": "10240",
    });
  });

  it.each([
    ["net.core.rmem_max", 4194304, "4194304"],
    ["vm.swappiness", "1", "1"],
    ["fs.file-max", 1_000_000, "1000000"],
    ["fs.file-max", "9223372036854775807", "9223372036854775807"],
    ["kernel.printk_devkmsg", "on", "on"],
    ["kernel.shmall", "0x10", "0x10"],
    ["kernel.core_pattern", "/var/crash/%e.%p", "/var/crash/%e.%p"],
    ["net.ipv4.tcp_rmem", " 4096\t87380  6291456 ", "4096 87380 6291456"],
    ["net.ipv4.conf.eth0/100.rp_filter", 2, "2"],
  ])("take %s", (key, value, text) => {
    expect(sysctl.parameters.parse({ [key]: value }).settings.get(key)).toBe(text);
  });

  it.each([
    ["net.ipv4.tcp_tw_recycle", 1, /removed in Linux 4\.12/],
    ["net/ipv4/tcp_fin_timeout", 15, /did you mean 'net\.ipv4\.tcp_fin_timeout'\?/],
    ["/proc/sys/vm/swappiness", 1, /did you mean 'vm\.swappiness'\?/],
    ["tcp_fin_timeout", 15, /net\., vm\., fs\. or kernel/],
    ["net.ipv4../../x", 1, /net\., vm\., fs\. or kernel/],
    ["abi.vsyscall32", 1, /net\., vm\., fs\. or kernel/],
    ["net.ipv4.tcp_fin_timeout", "soon", /a whole number/],
    ["net.ipv4.tcp_tw_reuse", 3, /0, 1 or 2/],
    ["net.ipv4.ip_local_port_range", "65023 1024", /the lower first/],
    ["net.ipv4.ip_local_port_range", "1024-65023", /the lower first/],
    ["net.ipv4.ip_local_reserved_ports", "80-70", /ports and ranges/],
    ["net.core.rmem_max", true, /a number or one line of text/],
    ["kernel.core_pattern", "", /a number or one line of text/],
    ["net.ipv4.ip_forward", "yes", /1 or 0/],
    ["net.ipv4.tcp_sack", "on", /1 or 0/],
    ["kernel.pid_max", "4_194_304", /without "_"/],
    ["kernel.pid_max", "1e21", /all its digits/],
    ["kernel.pid_max", "0100000", /octal/],
    ["net.ipv4.tcp_fin_timeout", "015", /octal/],
    ["adopt", "yes", /boolean/],
  ])("refuse %s: %j", (key, value, message) => {
    const problems = problemsOf({ [key]: value });
    expect(problems).toEqual([[key, expect.stringMatching(message)]]);
  });

  it("report a wrong key beside a wrong value", () => {
    const problems = problemsOf({ tcp_fin_timeout: 1, "net.ipv4.tcp_tw_reuse": 7 });
    expect(problems.map(([path]) => path).sort()).toEqual(["net.ipv4.tcp_tw_reuse", "tcp_fin_timeout"]);
  });

  it("refuse to reuse ports without time stamps", () => {
    const check = (given: object) =>
      sysctl.problems!(sysctl.parameters.parse(given), hostView("a", "10.0.0.1"), inventory());
    expect(check({ "net.ipv4.tcp_timestamps": 0 })).toMatchObject([{ path: ["net.ipv4.tcp_timestamps"] }]);
    expect(check({ "net.ipv4.tcp_timestamps": 0, "net.ipv4.tcp_tw_reuse": 0 })).toEqual([]);
    expect(check({})).toEqual([]);
  });
});
