import { deregister, eventually, mustRun, register } from "../../e2e/backends.ts";
import type { Trap } from "../trap.ts";

const path = "/services/user-api";

const trap: Trap = {
  title: "a backend is registered and in haproxy.cfg, but DOWN: nobody listens where it says",
  steps: "watcher",
  plant: async ({ lab, host }) => {
    await register(lab.hosts[0]!, path, { name: "dead", host, port: 9 });
    await eventually(
      "the backend in haproxy.cfg",
      () => mustRun(host, "cat /etc/haproxy/haproxy.cfg"),
      (config) => config.includes(`${host.address}:9 `),
    );
    // fall 2 by checks every half second.
    await new Promise((resume) => setTimeout(resume, 4000));
  },
  told: [{ setting: "service user-api", verdict: "proven", because: /DOWN by its health check: dead/ }],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: ({ lab }) => deregister(lab.hosts[0]!, path, "dead"),
};
export default trap;
