import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "haproxy.cfg was edited by hand and reloaded",
  steps: "haproxy,watcher",
  plant: sh(
    `sed -i 's/timeout server .*/timeout server 60000/' /etc/haproxy/haproxy.cfg && systemctl reload haproxy`,
  ),
  told: [{ setting: "settings", verdict: "pending", because: /timeout server 60000/ }],
  outcome: { is: "mended" },
};
export default trap;
