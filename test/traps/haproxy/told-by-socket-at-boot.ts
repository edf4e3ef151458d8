import { sh, type Trap } from "../trap.ts";

const because =
  /trap-maintenance\.service:5 says "disable frontend" to the socket of haproxy\.service \(trap-maintenance\.service starts it\): take it out there/;

const trap: Trap = {
  title: "a unit of the next boot switches a front end off over HAProxy's socket",
  steps: "haproxy",
  plant: sh(`cat >/etc/systemd/system/trap-maintenance.service <<'END'
[Unit]
After=haproxy.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "disable frontend user-api" | socat stdio /run/haproxy/admin.sock'
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload && systemctl enable -q trap-maintenance`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(
    "systemctl disable -q trap-maintenance; rm /etc/systemd/system/trap-maintenance.service; systemctl daemon-reload",
  ),
};
export default trap;
