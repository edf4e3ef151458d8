import { sh, type Trap } from "../trap.ts";

const dropIn = "/etc/systemd/system/haproxy.service.d/zzz-somebody.conf";

const trap: Trap = {
  title: "a drop-in lowers the limit of open files below what maxconn needs",
  steps: "haproxy,watcher",
  plant: sh(
    `printf '[Service]\\nLimitNOFILE=4096\\n' >${dropIn} && systemctl daemon-reload && systemctl restart haproxy; sleep 2`,
  ),
  told: [{ setting: "open files", verdict: "blocked", because: /zzz-somebody\.conf/ }],
  outcome: { is: "refused", code: 5, because: /zzz-somebody\.conf/ },
  clear: sh(`rm ${dropIn}; systemctl daemon-reload; systemctl restart haproxy`),
};
export default trap;
