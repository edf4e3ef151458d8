import { CRON, NO_CRON } from "../cron.ts";
import { sh, type Trap } from "../trap.ts";

const because = /\/var\/spool\/cron\/crontabs\/root:1 stops haproxy\.service \(cron runs it\)/;

const trap: Trap = {
  title: "root's crontab stops HAProxy at every boot",
  steps: "haproxy",
  plant: sh(`${CRON} && mkdir -p /var/spool/cron/crontabs
printf '@reboot sleep 60 && systemctl stop haproxy\\n' >/var/spool/cron/crontabs/root`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm /var/spool/cron/crontabs/root; ${NO_CRON}`),
};
export default trap;
