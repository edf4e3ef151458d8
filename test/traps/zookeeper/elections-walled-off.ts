import { withRules } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const because =
  /table inet trap, chain input, drops what no rule accepts, and none accepts port 3888 from [\d.]+-[\d.]+: let them in there/;

const trap: Trap = {
  title: "a packet filter lets the ensemble's connections live and no new one in: the next election fails",
  steps: "firewall",
  plant: withRules(`table inet trap {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    meta l4proto { icmp, icmpv6 } accept
    tcp dport { 22, 2181, 2888, 8080 } accept
  }
}
`),
  told: [{ setting: "firewall", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("nft delete table inet trap"),
};
export default trap;
