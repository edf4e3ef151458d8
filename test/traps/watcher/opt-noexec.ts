import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "/opt is mounted noexec: the gems cannot be loaded at the next start",
  steps: "watcher",
  plant: sh(
    "mount --bind /opt /opt && mount -o remount,bind,noexec /opt && cp /etc/fstab /root/fstab.trap && echo '/opt /opt none bind,noexec 0 0' >>/etc/fstab",
  ),
  told: [
    {
      setting: "readable by meshctl-watcher",
      verdict: "blocked",
      because: /\/opt is mounted noexec: mount -o remount,exec \/opt/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /\/opt is mounted noexec/ },
  clear: sh("umount /opt && mv /root/fstab.trap /etc/fstab"),
};
export default trap;
