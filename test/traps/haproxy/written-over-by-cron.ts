import { CRON, NO_CRON } from "../cron.ts";
import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/cron\.d\/standard:1 writes over \/etc\/haproxy\/haproxy\.cfg of haproxy\.service \(cron runs it\)/;

const trap: Trap = {
  title: "a crontab of before puts the old haproxy.cfg back every night",
  steps: "haproxy",
  plant: sh(
    `${CRON} && mkdir -p /etc/cron.d && cp -p /etc/haproxy/haproxy.cfg /root/haproxy.cfg.good &&
echo '0 3 * * * root cp -p /root/haproxy.cfg.good /etc/haproxy/haproxy.cfg && systemctl reload haproxy' >/etc/cron.d/standard`,
  ),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm /etc/cron.d/standard /root/haproxy.cfg.good; ${NO_CRON}`),
};
export default trap;
