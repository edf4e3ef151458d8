import { awaitFailedReload, sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "a reload ended with 0, but the new worker died on the limit of open files and the old one serves on",
  steps: "haproxy,watcher",
  plant: sh(
    `sed -i '0,/maxconn 9000/s//maxconn 50000/' /etc/haproxy/haproxy.cfg && systemctl reload haproxy; ${awaitFailedReload}`,
  ),
  told: [
    {
      setting: "last reload",
      verdict: "pending",
      because: /the old worker still serves: .*Cannot raise FD limit to \d+, limit is \d+/,
    },
    {
      step: "watcher",
      setting: "haproxy.cfg",
      verdict: "different",
      because: /global maxconn: maxconn 50000 where maxconn 9000 is wanted/,
    },
  ],
  outcome: { is: "mended" },
  // HAProxy 2.2 has no strict limits: see maxconn-lowered.ts.
  suites: ["bookworm", "trixie", "sid"],
};
export default trap;
