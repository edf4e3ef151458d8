import { sh, type Trap } from "../trap.ts";

const path = "/etc/tmpfiles.d/reset.conf";
const because =
  /reset\.conf:1 "R! \/var\/lib\/mysql\/\*" has systemd-tmpfiles delete or alter what is at \/var\/lib\/mysql/;

const trap: Trap = {
  title: "systemd-tmpfiles empties the data directory at the next boot",
  steps: "mysql",
  plant: sh(`echo 'R! /var/lib/mysql/*' >${path}`),
  told: [{ setting: "data directory", verdict: "blocked", because }],
  outcome: { is: "refused", code: 1, because },
  clear: sh(`rm ${path}`),
};
export default trap;
