import { sh, type Trap } from "../trap.ts";

const directory = "/etc/sysctl.d";

const trap: Trap = {
  title: "the file system that the settings belong on is full",
  steps: "sysctl",
  plant: sh(
    `mount -t tmpfs -o size=64k,mode=0755 tmpfs ${directory} && { cat /dev/zero >${directory}/full 2>/dev/null || true; }`,
  ),
  told: [{ setting: "net.ipv4.tcp_fin_timeout", verdict: "missing", because: /^nothing where 15 is wanted/ }],
  // Tried: what the kernel has was put on record, elsewhere, before the file could not be written.
  outcome: { is: "failed", code: 5, because: /No space left/ },
  clear: sh(`umount ${directory}`),
};
export default trap;
