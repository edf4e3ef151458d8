import type { Recording } from "../../src/reader/recording.ts";
import { absent, type ToldHost, value } from "./told-host.ts";

export const BOOT_ID = "/proc/sys/kernel/random/boot_id";
export const MANIFEST = "/var/lib/meshctl/manifest";

/** What is read of every host, of a Debian 12 on KVM. */
export const debian: ToldHost & {
  readonly files: NonNullable<ToldHost["files"]>;
  readonly answers: Recording;
} = {
  files: {
    "/etc/os-release":
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
    "/etc/debian_version": "12.13\n",
    "/proc/sys/kernel/osrelease": "6.1.0-28-amd64\n",
    "/proc/self/status": "Name:\tperl\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n",
    "/proc/meminfo": "MemTotal:        4000000 kB\nMemFree:          100000 kB\n",
    "/proc/1/limits":
      "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n",
    [BOOT_ID]: "2f8c1f5e-8f0a-4a57-9d6b-6a9f2f0f7a11\n",
    "/proc/uptime": "100.20 190.00\n",
  },
  answers: {
    virtualization: value("kvm\n"),
    packages: value(
      "dpkg\tii \t1.21.22\tamd64\nlibc6:amd64\tii \t2.36-9\tamd64\nruby\thi \t1:3.1\tall\nnginx\trc \t1.22\tamd64\n",
    ),
    addresses: value(
      "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n2: eth0    inet 10.0.0.2/24 brd 10.0.0.255 scope global eth0\n2: eth0    inet6 fe80::1/64 scope link\n",
    ),
    "sockets.listening": value(
      'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=10,fd=3))\nLISTEN 0 128 [::1]:25 [::]:*\n',
    ),
    clock: absent,
  },
};
