import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/default\/haproxy:\d+ makes haproxy\.service start with \/etc\/haproxy\/haproxy\.cfg -c instead/;

const trap: Trap = {
  title: "the next start only checks haproxy.cfg, and ends",
  steps: "haproxy",
  plant: sh(
    `cp -p /etc/default/haproxy /root/haproxy.default && echo 'EXTRAOPTS="-S /run/haproxy-master.sock -c"' >>/etc/default/haproxy`,
  ),
  told: [{ setting: "starts with", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("mv /root/haproxy.default /etc/default/haproxy"),
};
export default trap;
