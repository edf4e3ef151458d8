import { sh, type Trap } from "../trap.ts";

const config = "/etc/haproxy/haproxy.cfg";

const trap: Trap = {
  title: "haproxy.cfg was edited and reloaded with its description as it was, and put back with cp -p",
  steps: "haproxy,watcher",
  plant: sh(
    `cp -p ${config} /root/ && sed -i 's/timeout server .*/timeout server 60000/' ${config} && systemctl reload haproxy && sleep 1 && cp -p /root/haproxy.cfg ${config}`,
  ),
  told: [
    {
      setting: "settings",
      verdict: "not-in-force",
      because:
        /the worker was loaded with another haproxy\.cfg: defaults timeout server: "timeout server 60000"/,
    },
    {
      setting: "timeout server",
      verdict: "not-in-force",
      because: /the worker was loaded with another haproxy\.cfg/,
    },
    {
      step: "watcher",
      setting: "haproxy.cfg",
      verdict: "not-in-force",
      because: /HAProxy was loaded with another haproxy\.cfg: defaults timeout server: timeout server 60000/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
