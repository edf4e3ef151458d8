import { mustRun } from "../../e2e/backends.ts";
import { awaitFailedReload, sh, squat, type Trap } from "../trap.ts";

const config = "/etc/haproxy/haproxy.cfg";

const trap: Trap = {
  title:
    "a reload ended with 0, but the new worker could not bind a port; the file was put back, and no diff shows it",
  steps: "haproxy,watcher",
  plant: async ({ host }) => {
    await squat(host, "127.0.0.1", 8090);
    await mustRun(
      host,
      `cp -p ${config} /root/ && sed -i 's,bind 127.0.0.1:8080.*,bind 127.0.0.1:8090,' ${config} && systemctl reload haproxy; ${awaitFailedReload}; cp -p /root/haproxy.cfg ${config}`,
    );
  },
  told: [
    {
      setting: "last reload",
      verdict: "different",
      because: /the old worker still serves: .*cannot bind socket.*127\.0\.0\.1:8090/,
    },
  ],
  outcome: { is: "mended" },
  clear: sh("systemctl stop squatter"),
};
export default trap;
