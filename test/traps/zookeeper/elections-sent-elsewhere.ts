import { mustRun } from "../../e2e/backends.ts";
import { installed } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const because =
  /table ip nat, chain PREROUTING, sends port 3888 from [\d.]+-[\d.]+ elsewhere: let them in there/;

const trap: Trap = {
  title: "a rule of iptables, of which nft tells no more than a name, sends elections to another port",
  steps: "firewall",
  plant: async ({ host, lab }) => {
    await installed({ host, lab }, "/usr/sbin/nft", "nftables");
    await installed({ host, lab }, "/usr/sbin/iptables-nft", "iptables");
    await mustRun(host, "iptables-nft -t nat -A PREROUTING -p tcp --dport 3888 -j REDIRECT --to-ports 9999");
  },
  told: [{ setting: "firewall", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("nft delete table ip nat"),
};
export default trap;
