import { sh, type Trap } from "../trap.ts";

const config = "/etc/meshctl/synapse.conf.json";

const trap: Trap = {
  title: "synapse.conf.json is in the form of old articles, which this Synapse does not run with",
  steps: "haproxy,watcher",
  plant: sh(
    `echo '{"service_watcher": {"user-api": {}}}' >${config} && systemctl restart meshctl-watcher; sleep 3`,
  ),
  told: [
    { setting: config, verdict: "different", because: /./ },
    { setting: "meshctl-watcher.service", verdict: "not-in-force", because: /./ },
  ],
  outcome: { is: "mended" },
};
export default trap;
