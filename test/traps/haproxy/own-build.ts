import { sh, type Trap } from "../trap.ts";

const path = "/etc/systemd/system/haproxy.service.d/own-build.conf";

const trap: Trap = {
  title: "a drop-in has the next start run another HAProxy, which is gone",
  steps: "haproxy,watcher",
  plant: sh(
    `printf '[Service]\\nExecStart=\\nExecStart=/usr/local/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS\\n' >${path} && systemctl daemon-reload`,
  ),
  told: [
    { setting: "starts with", verdict: "blocked", because: /own-build\.conf:3/ },
    {
      setting: "next start of haproxy.service",
      verdict: "blocked",
      because: /\/usr\/local\/sbin\/haproxy is not there/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /haproxy is not there|own-build\.conf:3/ },
  clear: sh(`rm ${path} && systemctl daemon-reload`),
};
export default trap;
