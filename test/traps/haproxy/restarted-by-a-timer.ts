import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system";

const trap: Trap = {
  title: "a timer restarts HAProxy every five minutes, as somebody once did about a leak",
  steps: "haproxy",
  plant:
    sh(`printf '[Service]\\nType=oneshot\\nExecStart=systemctl restart haproxy\\n' >${directory}/trap-tidy.service
printf '[Timer]\\nOnCalendar=*-*-* 02,03:00/5\\n[Install]\\nWantedBy=timers.target\\n' >${directory}/trap-tidy.timer
systemctl daemon-reload && systemctl -q enable trap-tidy.timer`),
  told: [
    {
      setting: "next start of haproxy.service",
      verdict: "proven",
      because:
        /trap-tidy\.service:3 restarts haproxy\.service 24 times a day \(trap-tidy\.timer starts trap-tidy\.service\)/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(`systemctl -q disable trap-tidy.timer; rm ${directory}/trap-tidy.*; systemctl daemon-reload`),
};
export default trap;
