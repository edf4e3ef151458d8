import { sh, type Trap } from "../trap.ts";

const config = "/etc/meshctl/synapse.conf.json";

const trap: Trap = {
  title: "Synapse runs with no services at all",
  steps: "haproxy,watcher",
  plant: sh(
    `cp -p ${config} /root/ && perl -MJSON::PP -e 'local $/; $c = decode_json(<>); $c->{services} = {}; print encode_json($c)' /root/synapse.conf.json >${config} && systemctl restart meshctl-watcher; for _ in $(seq 100); do grep -q 'besides servers' /run/meshctl/haproxy-install && break; sleep 0.1; done`,
  ),
  told: [
    { setting: config, verdict: "different", because: /where sha256/, diff: /"services" *: *\{\}/ },
    {
      setting: "Synapse's last candidate",
      verdict: "different",
      because: /differs from what the inventory asks for: < frontend user-api/,
    },
  ],
  outcome: { is: "mended" },
};
export default trap;
