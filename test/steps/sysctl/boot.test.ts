import { describe, expect, it } from "vitest";
import { type ConfFile, winnerOf } from "../../../src/steps/sysctl/boot.ts";
import { conf } from "./world.ts";

const FIN = "net/ipv4/tcp_fin_timeout";
const RP = "net/ipv4/conf/eth0/rp_filter";

interface Case {
  readonly says: string;
  readonly files: readonly ConfFile[];
  readonly key?: string;
  readonly systemd: string | undefined;
  readonly procps: string | undefined;
}

const cases: readonly Case[] = [
  { says: "no file, no value", files: [], systemd: undefined, procps: undefined },
  {
    says: "the last name wins, whatever its directory",
    files: [
      conf("/etc/sysctl.d/10-a.conf", "net.ipv4.tcp_fin_timeout = 1"),
      conf("/usr/lib/sysctl.d/20-b.conf", "# x\n\nnet.ipv4.tcp_fin_timeout=2"),
    ],
    systemd: "2 /usr/lib/sysctl.d/20-b.conf:3",
    procps: "2 /usr/lib/sysctl.d/20-b.conf:3",
  },
  {
    says: "a file in /etc hides its namesakes, even when it is a link to /dev/null",
    files: [
      conf("/usr/lib/sysctl.d/50-a.conf", "net.ipv4.tcp_fin_timeout = 2"),
      conf("/etc/sysctl.d/50-a.conf", "", "/dev/null"),
      conf("/run/sysctl.d/40-b.conf", "net.ipv4.tcp_fin_timeout = 3"),
    ],
    systemd: "3 /run/sysctl.d/40-b.conf:1",
    procps: "3 /run/sysctl.d/40-b.conf:1",
  },
  {
    says: "sysctl.conf behind its link is read in the link's place, and by procps once more at the end",
    files: [
      conf("/etc/sysctl.d/99-sysctl.conf", "net.ipv4.tcp_fin_timeout = 33", "/etc/sysctl.conf"),
      conf("/etc/sysctl.d/99-zz.conf", "net.ipv4.tcp_fin_timeout = 44"),
      conf("/etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 33"),
    ],
    systemd: "44 /etc/sysctl.d/99-zz.conf:1",
    procps: "33 /etc/sysctl.conf:1",
  },
  {
    says: "sysctl.conf without a link (Debian 13) means nothing to systemd",
    files: [conf("/etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 33")],
    systemd: undefined,
    procps: "33 /etc/sysctl.conf:1",
  },
  {
    says: "slashes, a leading slash and a minus are the same key",
    files: [
      conf("/etc/sysctl.d/1.conf", "net/ipv4/tcp_fin_timeout = 1"),
      conf("/etc/sysctl.d/2.conf", "  -net.ipv4.tcp_fin_timeout=2  "),
      conf("/etc/sysctl.d/3.conf", "/net/ipv4/tcp_fin_timeout =3"),
    ],
    systemd: "3 /etc/sysctl.d/3.conf:1",
    procps: "3 /etc/sysctl.d/3.conf:1",
  },
  {
    says: "a slash in a dotted key is a dot",
    files: [conf("/etc/sysctl.d/1.conf", "net.ipv4.conf.eth0/100.rp_filter = 2")],
    key: "net/ipv4/conf/eth0.100/rp_filter",
    systemd: "2 /etc/sysctl.d/1.conf:1",
    procps: "2 /etc/sysctl.d/1.conf:1",
  },
  {
    says: "a minus without a value makes systemd forget the key, not procps",
    files: [
      conf("/etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout = 1"),
      conf("/etc/sysctl.d/2.conf", "-net.ipv4.tcp_fin_timeout"),
    ],
    systemd: "nothing /etc/sysctl.d/2.conf:1",
    procps: "1 /etc/sysctl.d/1.conf:1",
  },
  {
    says: "a full name beats a later glob",
    files: [
      conf("/etc/sysctl.d/1.conf", "net.ipv4.conf.eth0.rp_filter = 1"),
      conf("/etc/sysctl.d/2.conf", "net.ipv4.conf.*.rp_filter = 2"),
    ],
    key: RP,
    systemd: "1 /etc/sysctl.d/1.conf:1",
    procps: "1 /etc/sysctl.d/1.conf:1",
  },
  {
    says: "a glob decides where no full name does",
    files: [
      conf("/etc/sysctl.d/1.conf", "net.ipv4.conf.eth?.rp_filter = 1\nnet.ipv4.conf.[!l]*.rp_filter = 2"),
      conf("/etc/sysctl.d/2.conf", "net.ipv4.*.rp_filter = 3"),
    ],
    key: RP,
    systemd: "2 /etc/sysctl.d/1.conf:2",
    procps: "2 /etc/sysctl.d/1.conf:2",
  },
  {
    says: "a key with a minus is out of reach of globs",
    files: [conf("/etc/sysctl.d/1.conf", "-net.ipv4.conf.eth0.rp_filter\nnet.ipv4.conf.*.rp_filter = 2")],
    key: RP,
    systemd: "nothing /etc/sysctl.d/1.conf:1",
    procps: undefined,
  },
  {
    says: "tabs are spaces, and a line that is no assignment is nothing",
    files: [conf("/etc/sysctl.d/1.conf", "net.ipv4.tcp_fin_timeout\nnet.ipv4.tcp_fin_timeout = 1\t 2")],
    systemd: "1 2 /etc/sysctl.d/1.conf:2",
    procps: "1 2 /etc/sysctl.d/1.conf:2",
  },
];

describe("the line that decides at the next boot", () => {
  it.each(cases)("$says", ({ files, key = FIN, systemd, procps }) => {
    const show = (loader: "systemd-sysctl" | "sysctl --system") => {
      const winner = winnerOf(loader, files, key);
      return winner && `${winner.value ?? "nothing"} ${winner.source}`;
    };
    expect([show("systemd-sysctl"), show("sysctl --system")]).toEqual([systemd, procps]);
  });
});
