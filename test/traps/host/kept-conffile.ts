import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the package was removed and its old, edited conffile kept",
  steps: "haproxy,watcher",
  plant: sh(
    `DEBIAN_FRONTEND=noninteractive apt-get -q -y remove haproxy && sed -i 's/maxconn 9000/maxconn 12/' /etc/haproxy/haproxy.cfg`,
  ),
  told: [{ setting: "version", verdict: "missing", because: /not installed/ }],
  outcome: { is: "mended" },
};
export default trap;
