import { installTimeoutMs, mustRun } from "../../e2e/backends.ts";
import type { Trap } from "../trap.ts";

const trap: Trap = {
  title: "dpkg was interrupted half-way through a package",
  steps: "haproxy,watcher",
  plant: ({ lab, host }) =>
    mustRun(
      host,
      `cd /tmp && apt-get -q -y -o Acquire::http::Proxy=${lab.proxyUrl} download haproxy && systemctl stop haproxy && dpkg --unpack haproxy_*.deb && rm haproxy_*.deb`,
      undefined,
      { timeoutMs: installTimeoutMs },
    ),
  told: [{ setting: "version", verdict: "missing", because: /not installed/ }],
  outcome: { is: "mended" },
};
export default trap;
