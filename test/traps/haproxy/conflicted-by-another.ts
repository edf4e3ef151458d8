import { sh, type Trap } from "../trap.ts";

const path = "/etc/systemd/system/maintenance-page.service";
const because =
  /maintenance-page\.service says Conflicts=haproxy\.service, and the next boot is to start both/;

const trap: Trap = {
  title: "the next boot starts a unit that does not let HAProxy run beside it",
  steps: "haproxy",
  plant: sh(
    `printf '[Unit]\\nConflicts=haproxy.service\\n[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >${path} && systemctl daemon-reload && systemctl enable --quiet maintenance-page`,
  ),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`systemctl disable --quiet maintenance-page && rm ${path} && systemctl daemon-reload`),
};
export default trap;
