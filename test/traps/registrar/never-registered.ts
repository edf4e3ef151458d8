import { startBackend } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "a service is to be registered on a port where nobody listens, for its backend listens on another",
  inventory: (yaml) => `${yaml}  backends:
    hosts: [kvm-03]
    registrar: { services: { user-api: { port: 9010, check: { inter: 200ms, timeout: 500ms } } } }
`,
  plant: async ({ host, run }) => {
    await startBackend(host, "elsewhere", 9001);
    await run("provision");
  },
  told: [
    {
      step: "registrar",
      setting: "service user-api",
      verdict: "not-in-force",
      because:
        /Nerve has not registered it once since it was started, .*:9010: Connection refused\. Start the service/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /has not registered it once/ },
  clear: sh("systemctl stop backend-elsewhere; systemctl disable --now meshctl-registrar"),
};
export default trap;
