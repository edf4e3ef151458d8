import { sh, type Trap } from "../trap.ts";

const because = /\/var\/spool\/cron\/crontabs\/root:1 stops haproxy\.service \(cron runs it\)/;

const trap: Trap = {
  title: "root's crontab stops HAProxy at every boot",
  steps: "haproxy",
  // The unit stands for Debian's cron, which a bare host has not.
  plant: sh(`printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \\
  >/etc/systemd/system/cron.service
systemctl daemon-reload && systemctl -q enable cron && mkdir -p /var/spool/cron/crontabs
printf '@reboot sleep 60 && systemctl stop haproxy\\n' >/var/spool/cron/crontabs/root`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(
    "rm /var/spool/cron/crontabs/root && systemctl -q disable cron; rm /etc/systemd/system/cron.service; systemctl daemon-reload",
  ),
};
export default trap;
