import { deregister, eventually, mustRun, register, startBackend } from "../../e2e/backends.ts";
import { configuredServers, liveServers } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const path = "/services/user-api";

const trap: Trap = {
  title: "the name of a server resolves no more, and HAProxy would not start again with it",
  steps: "haproxy,watcher",
  plant: async ({ lab, host }) => {
    await startBackend(host, "named", 9018);
    for (const proxy of lab.hosts) await mustRun(proxy, `echo '${host.address} named.lab' >>/etc/hosts`);
    await register(lab.hosts[0]!, path, { name: "named", host: { address: "named.lab" }, port: 9018 });
    for (const proxy of lab.hosts)
      await eventually(
        `${proxy.name}'s worker with the name`,
        () => liveServers(proxy, "user-api"),
        (servers) => servers.includes("named_named.lab:9018"),
      );
    await mustRun(host, "sed -i '/ named.lab$/d' /etc/hosts");
  },
  told: [
    {
      step: "haproxy",
      setting: "haproxy.cfg",
      verdict: "proven",
      because: /the next start of HAProxy is refused, .*: named\.lab of user-api\/named_named\.lab:9018 /,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: async ({ lab, host }) => {
    // Its last server is kept: another one takes its place.
    await register(lab.hosts[0]!, path, { name: "after", host, port: 9018 });
    await deregister(lab.hosts[0]!, path, "named");
    for (const proxy of lab.hosts) {
      await eventually(
        `${proxy.name} without the name`,
        () => configuredServers(proxy),
        (servers) => servers.join() === `after_${host.address}:9018`,
      );
      await mustRun(proxy, "sed -i '/ named.lab$/d' /etc/hosts");
    }
    await deregister(lab.hosts[0]!, path, "after");
    await mustRun(host, "systemctl stop backend-named");
  },
};
export default trap;
