import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "its data is on a mount that somebody made by hand: a reboot finds the directory beneath",
  steps: "zookeeper",
  plant: sh(
    "systemctl stop zookeeper && cp -a /var/lib/zookeeper /srv/zookeeper && mount --bind /srv/zookeeper /var/lib/zookeeper && systemctl start zookeeper",
  ),
  told: [
    {
      setting: "data directory",
      verdict: "blocked",
      because: /^\/var\/lib\/zookeeper, which \S+ is on, is a mount .* that nothing makes at boot: echo /,
    },
  ],
  outcome: { is: "refused", code: 5, because: /a mount .* that nothing makes at boot/ },
  clear: sh(
    "systemctl stop zookeeper && umount /var/lib/zookeeper && rm -rf /srv/zookeeper && systemctl start zookeeper",
  ),
};
export default trap;
