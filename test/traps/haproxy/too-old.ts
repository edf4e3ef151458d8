import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the package is older than any HAProxy that the mesh can use",
  steps: "haproxy,watcher",
  // No release offers one that old: what dpkg has on record is changed.
  plant: sh(
    `cp -a /var/lib/dpkg/status /root/status && awk '/^Package: /{p=$2} p=="haproxy" && /^Version: /{$2="1.4.26-1"} {print}' /root/status >/var/lib/dpkg/status`,
  ),
  told: [{ setting: "version", verdict: "blocked", because: /1\.5/ }],
  outcome: { is: "refused", code: 5, because: /1\.5/ },
  clear: sh("cp -a /root/status /var/lib/dpkg/status"),
};
export default trap;
