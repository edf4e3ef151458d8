import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "HAProxy listens and nobody gets through: a rule of the host refuses every connection to it",
  steps: "haproxy,watcher",
  // As a packet filter does that has forgotten the loopback interface; a bare host has none.
  plant: sh("ip route replace prohibit 127.0.0.1 table local"),
  told: [
    {
      setting: "user-api front end",
      verdict: "not-in-force",
      because:
        /HAProxy listens on 127\.0\.0\.1:8080, and GET \/health of 127\.0\.0\.1:8080 fails on this host itself: .*nft list ruleset/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /fails on this host itself/ },
  clear: sh("ip route replace local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 table local"),
};
export default trap;
