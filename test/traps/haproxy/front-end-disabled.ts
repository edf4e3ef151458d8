import { tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "a front end was disabled over the socket for a maintenance, and nobody listens any more",
  steps: "haproxy,watcher",
  plant: ({ host }) => tellHaproxy(host, "disable frontend user-api"),
  told: [
    {
      setting: "user-api front end",
      verdict: "blocked",
      because: /changed by hand: front end user-api is disabled\. Tell .*: enable frontend user-api$/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /enable frontend user-api/ },
  clear: ({ host }) => tellHaproxy(host, "enable frontend user-api"),
  // 2.2 shows it as one that was shut down for good: see front-end-shut-down.ts.
  suites: ["bookworm", "trixie", "sid"],
};
export default trap;
