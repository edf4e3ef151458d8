import { sh, type Trap } from "../trap.ts";

const config = "/etc/haproxy/haproxy.cfg";

const trap: Trap = {
  title: "haproxy.cfg is right, but the worker runs since before it was, and cp -p hid it",
  steps: "haproxy,watcher",
  plant: sh(
    `cp -p ${config} /root/ && sed -i 's/maxconn 9000/maxconn 8000/; s/description meshctl-/description other-/' ${config} && systemctl reload haproxy && sleep 1 && cp -p /root/haproxy.cfg ${config}`,
  ),
  told: [
    { setting: "settings", verdict: "not-in-force", because: /the worker runs with another configuration/ },
    { setting: "maxconn", verdict: "not-in-force", because: /the worker runs with another configuration/ },
  ],
  outcome: { is: "mended" },
};
export default trap;
