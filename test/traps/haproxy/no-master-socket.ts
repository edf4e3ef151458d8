import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "HAProxy's master has no socket: nobody can tell whether a reload failed",
  steps: "haproxy,watcher",
  plant: sh(`echo 'EXTRAOPTS=""' >>/etc/default/haproxy && systemctl restart haproxy`),
  told: [
    {
      setting: "last reload",
      verdict: "unknown",
      because: /no program listens on it, so what it would say is not known: take EXTRAOPTS= out/,
    },
  ],
  verifyCode: 5,
  outcome: { is: "refused", code: 5, because: /take EXTRAOPTS= out/ },
  clear: sh(`sed -i '/^EXTRAOPTS=""$/d' /etc/default/haproxy && systemctl restart haproxy`),
};
export default trap;
