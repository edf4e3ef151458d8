import { tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const because =
  /changed by hand: stray was added at 127\.0\.0\.1:9\. Tell \S+ to take it back: set server report-api\/stray state maint; del server report-api\/stray$/;

const trap: Trap = {
  title: "a server that no file has was added over the socket, and gets its share of a service's requests",
  // The watcher's frame names the service, too.
  steps: "haproxy,watcher",
  // HAProxy 2.2 adds none.
  suites: ["bookworm", "trixie", "sid"],
  inventory: (yaml) =>
    yaml.replace(
      /^ {2}services:\n/m,
      "$&    report-api: { mode: tcp, port: 8085, servers: [{ host: 127.0.0.1, port: 9019 }] }\n",
    ),
  plant: async ({ host, run }) => {
    const provisioned = await run("provision");
    if (provisioned.code !== 0) throw new Error(provisioned.stderr);
    await tellHaproxy(host, "add server report-api/stray 127.0.0.1:9");
    await tellHaproxy(host, "enable server report-api/stray");
  },
  told: [{ setting: "report-api servers", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because: /del server report-api\/stray/ },
};
export default trap;
