import { mustRun } from "../../e2e/backends.ts";
import type { Trap } from "../trap.ts";

const because =
  /report-api\/\S+ is sent to \d\S+, and named\.lab leads to 127\.0\.0\.7 \(\/etc\/hosts:\d+\).*systemctl reload haproxy if that is right/;

const trap: Trap = {
  title: "a line of /etc/hosts leads a server's name elsewhere since HAProxy looked it up",
  steps: "haproxy,watcher",
  inventory: (yaml) =>
    yaml.replace(
      /^ {2}services:\n/m,
      "$&    report-api: { mode: tcp, port: 8085, servers: [{ host: named.lab, port: 9019 }] }\n",
    ),
  plant: async ({ lab, host, run }) => {
    for (const proxy of lab.hosts) await mustRun(proxy, `echo '${host.address} named.lab' >>/etc/hosts`);
    const provisioned = await run("provision");
    if (provisioned.code !== 0) throw new Error(provisioned.stderr);
    await mustRun(host, "sed -i 's/^.* named.lab$/127.0.0.7 named.lab/' /etc/hosts");
  },
  told: [{ setting: "names of servers", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: async ({ lab }) => {
    for (const proxy of lab.hosts) await mustRun(proxy, "sed -i '/ named.lab$/d' /etc/hosts");
  },
};
export default trap;
