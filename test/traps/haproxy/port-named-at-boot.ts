import { sh, type Trap } from "../trap.ts";

const unit = "/etc/systemd/system/legacy-api.service";
const program = "/usr/local/sbin/legacy-api";

const trap: Trap = {
  title: "a service that was stopped by hand is still enabled, and takes a port at the next boot",
  steps: "haproxy,watcher",
  plant: sh(
    `printf '#!/usr/bin/perl\\nmy $port = 8080;\\nsleep;\\n' >${program} && chmod 0755 ${program} && printf '[Unit]\\nBefore=haproxy.service\\n[Service]\\nExecStart=${program}\\n[Install]\\nWantedBy=multi-user.target\\n' >${unit} && systemctl daemon-reload && systemctl enable --quiet legacy-api`,
  ),
  told: [{ setting: "enabled at boot", verdict: "proven", because: /legacy-api\.service names port 8080/ }],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh(`systemctl disable --quiet legacy-api && rm ${unit} ${program} && systemctl daemon-reload`),
};
export default trap;
