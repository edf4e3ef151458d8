import { mustRun } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a member is away while another heap is asked for: a restart would lose the quorum",
  steps: "zookeeper",
  inventory: (yaml) => yaml.replace("heap: 256M", "heap: 260M"),
  plant: async ({ lab, host }) => {
    await lab.hosts[0]!.powerCut();
    await mustRun(host, "systemctl show -P MainPID zookeeper >/run/started");
  },
  told: [{ setting: "quorum", verdict: "different", because: /kvm-01 unseen/ }],
  verifyCode: 5,
  outcome: { is: "refused", code: 5, because: /kvm-01/ },
  after: sh("systemctl show -P MainPID zookeeper | cmp - /run/started"),
  clear: ({ lab }) => lab.hosts[0]!.powerOn(),
};
export default trap;
