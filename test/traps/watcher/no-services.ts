import { sh, type Trap } from "../trap.ts";

const config = "/etc/meshctl/synapse.conf.json";

const trap: Trap = {
  title: "Synapse runs with no services at all",
  steps: "haproxy,watcher",
  plant: sh(
    `cp -p ${config} /root/ && perl -MJSON::PP -e 'local $/; $c = decode_json(<>); $c->{services} = {}; print encode_json($c)' /root/synapse.conf.json >${config} && systemctl restart meshctl-watcher`,
  ),
  told: [{ setting: config, verdict: "different", because: /./ }],
  outcome: { is: "mended" },
};
export default trap;
