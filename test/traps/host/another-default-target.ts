import { sh, type Trap } from "../trap.ts";

const path = "/etc/systemd/system/maintenance.target";
const blocked = /the host boots into maintenance\.target, which does not want multi-user\.target/;

const trap: Trap = {
  title: "the host boots into another target, which starts nothing of the mesh",
  plant: sh(
    `printf '[Unit]\\nRequires=basic.target\\nAfter=basic.target\\nWants=ssh.service\\nAllowIsolate=yes\\n' >${path} && systemctl daemon-reload && systemctl set-default --quiet maintenance.target`,
  ),
  told: [
    { setting: "starts at boot", verdict: "blocked", because: blocked },
    { setting: "enabled at boot", verdict: "blocked", because: blocked },
    { setting: "meshctl-watcher.service", verdict: "blocked", because: blocked },
    { setting: "meshctl-haproxy-install.path", verdict: "blocked", because: blocked },
    { setting: /^(?:mariadb|mysql)\.service at boot$/, verdict: "blocked", because: blocked },
  ],
  outcome: { is: "refused", code: 5, because: blocked },
  clear: sh(`systemctl set-default --quiet graphical.target && rm ${path} && systemctl daemon-reload`),
};
export default trap;
