import { installTimeoutMs, mustRun } from "../../e2e/backends.ts";
import type { Trap } from "../trap.ts";

const config = "/etc/haproxy/haproxy.cfg";

const trap: Trap = {
  title: "a package with another conffile was installed, and the old, edited one was kept beside .dpkg-dist",
  steps: "haproxy,watcher",
  // The archive has one version of it: the same package with another line in its conffile.
  plant: ({ lab, host }) =>
    mustRun(
      host,
      `cd /tmp && rm -rf other haproxy_*.deb && sed -i 's/maxconn 9000/maxconn 12/' ${config} && apt-get -q -y -o Acquire::http::Proxy=${lab.proxyUrl} download haproxy && dpkg-deb -R haproxy_*.deb other && date '+# %s' >>other${config} && dpkg-deb -Znone -b other other.deb && DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i other.deb && rm -r other other.deb haproxy_*.deb && test -e ${config}.dpkg-dist`,
      undefined,
      { timeoutMs: installTimeoutMs },
    ),
  told: [
    {
      step: "watcher",
      setting: "haproxy.cfg",
      verdict: "different",
      because: /maxconn: maxconn 12 where maxconn 9000 is wanted/,
    },
  ],
  outcome: { is: "mended" },
  clear: ({ host }) => mustRun(host, `rm ${config}.dpkg-dist`),
};
export default trap;
