import { sh, type Trap } from "../trap.ts";

const path = "/etc/sysctl.d/99-zzz-somebody.conf";

const trap: Trap = {
  title: "a file that sorts later in sysctl.d sets the value otherwise",
  steps: "sysctl",
  plant: sh(`printf '# ours\\nnet.ipv4.tcp_fin_timeout = 61\\n' >${path}`),
  told: [{ setting: "net.ipv4.tcp_fin_timeout", verdict: "blocked", because: /99-zzz-somebody\.conf:2 / }],
  outcome: { is: "refused", code: 5, because: /99-zzz-somebody\.conf:2 / },
  clear: sh(`rm ${path}`),
};
export default trap;
