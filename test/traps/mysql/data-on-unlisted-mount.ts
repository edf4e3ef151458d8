import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "its data was moved to a disk that was mounted by hand: a reboot starts it from the old directory beneath",
  steps: "mysql",
  plant: sh(
    "systemctl stop mysql && cp -a --sparse=always /var/lib/mysql /srv/mysql-new && mount --bind /srv/mysql-new /var/lib/mysql && systemctl start mysql",
  ),
  told: [
    {
      setting: "data directory",
      verdict: "blocked",
      because: /^\/var\/lib\/mysql is a mount .* that nothing makes at boot: echo /,
    },
  ],
  outcome: { is: "refused", code: 1, because: /a mount .* that nothing makes at boot/ },
  clear: sh(
    "systemctl stop mysql && umount /var/lib/mysql && rm -rf /srv/mysql-new && systemctl start mysql",
  ),
};
export default trap;
