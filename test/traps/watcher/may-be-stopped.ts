import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a script that each boot runs stops the watcher, for a reason that only the script knows",
  steps: "watcher",
  plant: sh(`cat >/usr/local/sbin/quiesce <<'END'
#!/bin/sh
for service in nginx meshctl-watcher; do
  [ ! -e /run/quiet ] || systemctl stop "$service"
done
END
chmod 0755 /usr/local/sbin/quiesce
printf '[Service]\\nExecStart=/usr/local/sbin/quiesce\\n[Install]\\nWantedBy=multi-user.target\\n' \\
  >/etc/systemd/system/quiesce.service
systemctl daemon-reload && systemctl -q enable quiesce`),
  told: [
    {
      setting: "next start of meshctl-watcher.service",
      verdict: "proven",
      because: /\/usr\/local\/sbin\/quiesce:3 may be what stops meshctl-watcher\.service/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(
    "systemctl -q disable quiesce; rm /etc/systemd/system/quiesce.service /usr/local/sbin/quiesce; systemctl daemon-reload",
  ),
};
export default trap;
