import { mustRun } from "../../e2e/backends.ts";
import { installed } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a counter-example: rules of iptables-legacy send what goes to other ports and addresses elsewhere",
  steps: "haproxy",
  verifyCode: 0,
  plant: async ({ host, lab }) => {
    await installed({ host, lab }, "/usr/sbin/iptables-legacy", "iptables");
    await mustRun(
      host,
      `iptables-legacy -t nat -A OUTPUT ! -d 127.0.0.0/8 -p tcp --dport 8080 -j REDIRECT --to-ports 8081
iptables-legacy -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080`,
    );
  },
  told: [],
  outcome: { is: "left alone" },
  clear: sh("iptables-legacy -t nat -F OUTPUT; iptables-legacy -t nat -F PREROUTING"),
};
export default trap;
