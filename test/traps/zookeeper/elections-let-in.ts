import { withRules } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a counter-example: a packet filter lets the mesh's network in and drops all else",
  steps: "firewall",
  verifyCode: 0,
  plant: withRules(`table inet trap {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    ip saddr 198.18.0.0/15 jump mesh
    tcp dport { 2181, 2888, 3888 } reject
  }
  chain mesh {
    tcp dport { 22, 80 } accept
    tcp dport { 2181, 2888, 3888 } accept
  }
}
`),
  told: [],
  outcome: { is: "left alone" },
  clear: sh("nft delete table inet trap"),
};
export default trap;
