import { CRON, NO_CRON } from "../cron.ts";
import { sh, type Trap } from "../trap.ts";

const file = "/etc/cron.d/trap-old-logs";
const because =
  /trap-old-logs:1 deletes in \/var\/lib\/zookeeper\/data\/version-2 of zookeeper\.service \(cron runs it\): take it out there/;

const trap: Trap = {
  title: "cron deletes old logs by their names, and ZooKeeper's log of transactions has one",
  steps: "zookeeper",
  plant: sh(
    `${CRON}\necho "0 3 * * * root find /var/lib/zookeeper -name 'log.*' -mtime +7 -delete" >${file}`,
  ),
  told: [{ setting: "next start of zookeeper.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm ${file}; ${NO_CRON}`),
};
export default trap;
