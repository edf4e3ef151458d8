import { CRON, NO_CRON } from "../cron.ts";
import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/cron\.d\/owner:1 gives another user \/var\/lib\/zookeeper\/data\/version-2 of zookeeper\.service \(cron runs it\)/;

const trap: Trap = {
  title: "a crontab gives ZooKeeper's data to root at the next boot",
  steps: "zookeeper",
  plant: sh(`${CRON}
mkdir -p /etc/cron.d
echo '@reboot root chown -R root:root /var/lib/zookeeper' >/etc/cron.d/owner`),
  told: [{ setting: "next start of zookeeper.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm /etc/cron.d/owner; ${NO_CRON}`),
};
export default trap;
