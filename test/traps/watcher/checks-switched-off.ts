import { deregister, eventually, mustRun, register, startBackend } from "../../e2e/backends.ts";
import { serversOf, tellHaproxy } from "../../e2e/haproxy.ts";
import type { Trap, World } from "../trap.ts";

const path = "/services/user-api";
const server = ({ host }: World) => `user-api/unwatched_${host.address}:9017`;

const trap: Trap = {
  title: "a backend's health checks were switched off over the socket, and it gets requests dead as it is",
  steps: "watcher",
  plant: async (world) => {
    const { lab, host } = world;
    await startBackend(host, "unwatched", 9017);
    await register(lab.hosts[0]!, path, { name: "unwatched", host, port: 9017 });
    for (const proxy of lab.hosts)
      await eventually(
        `${proxy.name}'s check`,
        () => serversOf(proxy, "user-api"),
        (servers) => servers.some(({ name, status }) => name.startsWith("unwatched_") && status === "UP"),
      );
    await tellHaproxy(host, `disable health ${server(world)}`);
    await mustRun(host, "systemctl stop backend-unwatched");
  },
  told: [
    {
      setting: "service user-api",
      verdict: "not-in-force",
      because:
        /changed by hand: unwatched_\S+:9017 is not checked\. Tell .*: enable health user-api\/unwatched_/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /enable health user-api\/unwatched_/ },
  clear: async (world) => {
    await tellHaproxy(world.host, `enable health ${server(world)}`);
    await deregister(world.lab.hosts[0]!, path, "unwatched");
  },
};
export default trap;
