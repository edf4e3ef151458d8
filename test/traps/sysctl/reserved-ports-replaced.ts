import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "another tool has replaced the list of reserved ports by its own",
  steps: "sysctl",
  plant: sh("echo 9999 >/proc/sys/net/ipv4/ip_local_reserved_ports"),
  // The tool's port is wanted from now on too, and the file does not have it yet.
  told: [
    {
      setting: "net.ipv4.ip_local_reserved_ports",
      verdict: "different",
      because: /where .*,9999.* is wanted/,
    },
  ],
  outcome: { is: "mended" },
  after: sh("grep -q 9999 /proc/sys/net/ipv4/ip_local_reserved_ports"),
  // Ports once reserved are kept for ever, also for the next run on these hosts.
  clear: sh("rm -f /etc/sysctl.d/99-zz-meshctl.conf; echo >/proc/sys/net/ipv4/ip_local_reserved_ports"),
};
export default trap;
