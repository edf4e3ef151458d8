import { sh, type Trap } from "../trap.ts";

const because =
  /\/usr\/sbin\/haproxy is not what haproxy brought, and haproxy\.service has not been started with it/;

const trap: Trap = {
  title: "another program was put in HAProxy's place, and dpkg still says that the package is there",
  steps: "haproxy",
  plant: sh(
    "cp -p /usr/sbin/haproxy /root/haproxy && cp /bin/true /root/other && mv /root/other /usr/sbin/haproxy",
  ),
  told: [{ setting: "readable by root", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("mv /root/haproxy /usr/sbin/haproxy && systemctl restart haproxy"),
};
export default trap;
