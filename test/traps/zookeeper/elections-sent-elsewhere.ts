import { withRules } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const because = /table ip trap, chain in, sends port 3888 from [\d.]+-[\d.]+ elsewhere: let them in there/;

const trap: Trap = {
  title: "a rule of nftables sends what other members say at an election to another port",
  steps: "firewall",
  plant: withRules(`add table ip trap
add chain ip trap in { type nat hook prerouting priority -100; }
add rule ip trap in tcp dport 3888 counter redirect to :9999
`),
  told: [{ setting: "firewall", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("nft delete table ip trap"),
};
export default trap;
