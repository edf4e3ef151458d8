import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/systemd\/system\/quiet\.service:3 stops (?:mariadb|mysql)\.service \(quiet\.service starts it\)/;

const trap: Trap = {
  title: "a timer of somebody's stops the database some time after each boot",
  steps: "mysql",
  plant: sh(`printf '[Service]\\nType=oneshot\\nExecStart=/bin/systemctl --no-block stop mysql\\n' \\
  >/etc/systemd/system/quiet.service
printf '[Timer]\\nOnBootSec=1h\\n[Install]\\nWantedBy=timers.target\\n' >/etc/systemd/system/quiet.timer
systemctl daemon-reload && systemctl -q enable quiet.timer`),
  told: [{ setting: /^next start of (?:mariadb|mysql)\.service$/, verdict: "blocked", because }],
  outcome: { is: "refused", code: 1, because },
  clear: sh(
    "systemctl -q disable quiet.timer; rm /etc/systemd/system/quiet.service /etc/systemd/system/quiet.timer; systemctl daemon-reload",
  ),
};
export default trap;
