import { sh, type Trap } from "../trap.ts";

const config = "/etc/meshctl/synapse.conf.json";

const trap: Trap = {
  title: "synapse.conf.json is in the form of old articles, which this Synapse does not run with",
  steps: "haproxy,watcher",
  plant: sh(
    `echo '{"service_watcher": {"user-api": {}}}' >${config} && systemctl restart meshctl-watcher; until [ "$(systemctl show -P NRestarts meshctl-watcher)" -ge 1 ]; do sleep 0.2; done`,
  ),
  told: [
    { setting: config, verdict: "different", because: /where sha256/, diff: /service_watcher/ },
    {
      setting: "meshctl-watcher.service",
      verdict: "not-in-force",
      because: /its last error: .*service_watcher/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
