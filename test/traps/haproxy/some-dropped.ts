import { withRules } from "../installed.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a rule of nftables drops what comes to a front end beyond three connections a minute",
  steps: "haproxy",
  plant: withRules(`add table inet trap
add chain inet trap in { type filter hook input priority 0; policy accept; }
add rule inet trap in tcp dport 8080 ct state new limit rate over 1/minute burst 3 packets drop
`),
  told: [
    {
      setting: "user-api front end",
      verdict: "proven",
      because:
        /table inet trap, chain in, has a drop for port 8080, and HAProxy may not get all that is sent to 127\.0\.0\.1:8080/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh("nft delete table inet trap"),
};
export default trap;
