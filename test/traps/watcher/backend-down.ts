import assert from "node:assert/strict";
import { deregister, eventually, mustRun, register } from "../../e2e/backends.ts";
import { serversOf } from "../../e2e/haproxy.ts";
import type { Trap } from "../trap.ts";

const path = "/services/user-api";

const trap: Trap = {
  title: "a backend is registered and in haproxy.cfg, but DOWN: nobody listens where it says",
  steps: "watcher",
  plant: async ({ lab, host }) => {
    await register(lab.hosts[0]!, path, { name: "dead", host, port: 9 });
    for (const proxy of lab.hosts)
      await eventually(
        `${proxy.name}'s check`,
        () => serversOf(proxy, "user-api"),
        (servers) => servers.some(({ name, status }) => name.startsWith("dead_") && status === "DOWN"),
      );
    await mustRun(host, "grep -q 'server dead_' /etc/haproxy/haproxy.cfg");
  },
  told: [
    {
      setting: "service user-api",
      verdict: "proven",
      because: /DOWN by its health check: dead_\S+ \(L4CON: Connection refused\)/,
    },
  ],
  // The mesh is as asked for, and nothing that meshctl changes brings a backend up: `status` is what fails.
  verifyCode: 0,
  outcome: { is: "left alone" },
  after: async ({ run, host }) => {
    const { code, events } = await run("status");
    const problem = events.find(({ event, kind }) => event === "problem" && kind === "service-out");
    assert.match(
      String(problem?.what),
      /^user-api: no backend is UP, requests to .* go to all of them all the same/,
    );
    assert.equal(problem?.evidence, `dead_${host.address}:9 down (L4CON: Connection refused)`);
    assert.equal(code, 2);
  },
  clear: ({ lab }) => deregister(lab.hosts[0]!, path, "dead"),
};
export default trap;
