import { sh, type Trap } from "../trap.ts";

const path = "/etc/tmpfiles.d/old-files.conf";
const because =
  /old-files\.conf:1 "e \/var\/lib\/zookeeper - - - 10d" has systemd-tmpfiles delete or alter what is at/;

const trap: Trap = {
  title: "systemd-tmpfiles deletes what is older than ten days below /var/lib/zookeeper",
  steps: "zookeeper",
  plant: sh(`echo 'e /var/lib/zookeeper - - - 10d' >${path}`),
  told: [{ setting: "data directory", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm ${path}`),
};
export default trap;
