import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "a reload ended with 0, but the new worker died on the limit of open files and the old one serves on",
  steps: "haproxy,watcher",
  plant: sh(
    "sed -i '0,/maxconn 9000/s//maxconn 50000/' /etc/haproxy/haproxy.cfg && systemctl reload haproxy; sleep 3",
  ),
  told: [{ setting: "haproxy.cfg", verdict: "different", because: /./ }],
  outcome: { is: "mended" },
};
export default trap;
