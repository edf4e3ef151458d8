import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/meshctl-haproxy-install.path.d";
const because =
  /x\.conf:3 PathChanged=\/srv\/x is not meshctl's, and decides when meshctl-haproxy-install\.path does its work/;

const trap: Trap = {
  title: "a drop-in has the installer wait for another file than Synapse writes",
  steps: "watcher",
  plant: sh(
    `mkdir -p ${directory} && printf '[Path]\\nPathChanged=\\nPathChanged=/srv/x\\n' >${directory}/x.conf && systemctl daemon-reload`,
  ),
  told: [{ setting: "next start of meshctl-haproxy-install.path", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`rm -r ${directory} && systemctl daemon-reload`),
};
export default trap;
