import { sh, type Trap } from "../trap.ts";

const path = "/etc/systemd/system/haproxy.service.d/zz-reload.conf";

const trap: Trap = {
  title: "a drop-in gives it a reload of its own, and nobody keeps any more what it is loaded with",
  steps: "haproxy,watcher",
  plant: sh(
    `printf '[Service]\\nExecReload=\\nExecReload=/bin/kill -USR2 $MAINPID\\n' >${path} && systemctl daemon-reload`,
  ),
  told: [
    {
      setting: "next start of haproxy.service",
      verdict: "blocked",
      because: /zz-reload\.conf:2, \S*zz-reload\.conf:3 takes meshctl's ExecReload=/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /takes meshctl's ExecReload=/ },
  clear: sh(`rm ${path} && systemctl daemon-reload`),
};
export default trap;
