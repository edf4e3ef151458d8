import { withRules } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const because =
  /table ip trap, chain output, has a redirect for port 8080: requests of this host to 127\.0\.0\.1:8080 do not reach HAProxy/;

const trap: Trap = {
  title: "a rule of nftables sends what goes to a front end to another port, where somebody answers too",
  steps: "haproxy",
  plant: withRules(`add table ip trap
add chain ip trap output { type nat hook output priority -100; }
add rule ip trap output ip daddr 127.0.0.1 tcp dport 8080 counter redirect to :8081
`),
  told: [{ setting: "user-api front end", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("nft delete table ip trap"),
};
export default trap;
