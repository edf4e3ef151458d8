import { sh, type Trap } from "../trap.ts";

const config = "/etc/meshctl/synapse.conf.json";

const trap: Trap = {
  title: "Synapse follows another ensemble: the file was put back after it had started",
  steps: "haproxy,watcher",
  plant: sh(
    `cp -p ${config} /root/ && sed -i 's/:2181/:2999/g' ${config} && systemctl restart meshctl-watcher && sleep 3 && cp -p /root/synapse.conf.json ${config}`,
  ),
  told: [{ setting: config, verdict: "not-in-force", because: /./ }],
  outcome: { is: "mended" },
};
export default trap;
