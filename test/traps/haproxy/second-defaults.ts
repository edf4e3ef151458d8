import { sh, type Trap } from "../trap.ts";

const config = "/etc/haproxy/haproxy.cfg";

const trap: Trap = {
  title: "haproxy.cfg had a second, empty defaults section when it was loaded, and was put back",
  steps: "haproxy,watcher",
  plant: sh(
    `cp -p ${config} /root/ && sed -i '0,/^frontend /s//defaults\\n\\nfrontend /' ${config} && systemctl reload haproxy && sleep 1 && cp -p /root/haproxy.cfg ${config}`,
  ),
  told: [
    {
      setting: "settings",
      verdict: "not-in-force",
      because: /the worker was loaded with another haproxy\.cfg: defaults mode is missing/,
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
      because:
        /HAProxy was loaded with another haproxy\.cfg: defaults mode: nothing where mode http is wanted/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
