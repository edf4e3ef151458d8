import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "another tool brings the host back to its own state every night",
  steps: "preflight",
  plant: sh(`cat >/etc/systemd/system/trap-site.service <<'END'
[Service]
Type=oneshot
ExecStart=/usr/bin/ansible-pull -U https://git.example/site.git site.yml
END
printf '[Timer]\\nOnCalendar=daily\\n[Install]\\nWantedBy=timers.target\\n' >/etc/systemd/system/trap-site.timer
systemctl daemon-reload && systemctl enable -q trap-site.timer`),
  told: [
    {
      setting: "managed by others",
      verdict: "proven",
      because:
        /ansible-pull \(\/etc\/systemd\/system\/trap-site\.service:3, trap-site\.service starts it\) may set back what meshctl sets/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(
    "systemctl disable -q trap-site.timer; rm /etc/systemd/system/trap-site.*; systemctl daemon-reload",
  ),
};
export default trap;
