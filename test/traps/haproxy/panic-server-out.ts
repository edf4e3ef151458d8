import { deregister, eventually, register, startBackend } from "../../e2e/backends.ts";
import { serversOf, tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap, World } from "../trap.ts";

const path = "/services/user-api";
const server = ({ host }: World) => `user-api:panic/spare_${host.address}:9018`;

const trap: Trap = {
  title:
    "a server was taken out over the socket where requests go when too few are up, and shows UP where they go now",
  steps: "haproxy,watcher",
  plant: async (world) => {
    const { lab, host } = world;
    await startBackend(host, "spare", 9018);
    await register(lab.hosts[0]!, path, { name: "spare", host, port: 9018 });
    for (const proxy of lab.hosts)
      await eventually(
        `${proxy.name}'s servers`,
        async () => [...(await serversOf(proxy, "user-api")), ...(await serversOf(proxy, "user-api:panic"))],
        (servers) =>
          servers.filter(({ name, status }) => name.startsWith("spare_") && /^(UP|no check)$/.test(status))
            .length === 2,
      );
    await tellHaproxy(host, `disable server ${server(world)}`);
  },
  told: [
    {
      setting: "user-api panic threshold",
      verdict: "blocked",
      because:
        /changed by hand: user-api:panic\/spare_\S+ is in maintenance\. Tell .*: set server user-api:panic\/spare_\S+ state ready$/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /set server user-api:panic\/spare_\S+ state ready/ },
  clear: async (world) => {
    await tellHaproxy(world.host, `set server ${server(world)} state ready`);
    await deregister(world.lab.hosts[0]!, path, "spare");
  },
};
export default trap;
