import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  // The lab's root is an overlay in use, which cannot be remounted: a bind mount is as read-only.
  title: "the file system that the settings belong on has become read-only",
  steps: "preflight,sysctl",
  plant: sh("rm /etc/sysctl.d/99-zz-meshctl.conf && mount --bind /etc /etc && mount -o remount,bind,ro /etc"),
  told: [
    { setting: "file systems writable", verdict: "blocked", because: /\/etc/ },
    { setting: "net.ipv4.tcp_fin_timeout", verdict: "missing", because: /^nothing where 15 is wanted/ },
  ],
  outcome: { is: "refused", code: 5, because: /[Rr]ead-only/ },
  clear: sh("umount /etc"),
};
export default trap;
