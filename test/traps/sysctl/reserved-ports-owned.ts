import { sh, type Trap } from "../trap.ts";

const path = "/etc/sysctl.d/99-zzz-tool.conf";

const trap: Trap = {
  title: "another tool's file, read later, owns the list of reserved ports",
  steps: "sysctl",
  plant: sh(`echo 'net.ipv4.ip_local_reserved_ports = 9998' >${path}`),
  told: [
    {
      setting: "net.ipv4.ip_local_reserved_ports",
      verdict: "blocked",
      because: /99-zzz-tool\.conf:1 .*let it say/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /99-zzz-tool\.conf:1 / },
  clear: sh(`rm ${path}`),
};
export default trap;
