import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "/etc/default/haproxy names another file, which only the next start reads",
  steps: "haproxy",
  plant: sh(
    `cp -p /etc/default/haproxy /root/haproxy.default && echo 'CONFIG="/root/x.cfg"' >>/etc/default/haproxy`,
  ),
  told: [{ setting: "starts with", verdict: "blocked", because: /\/etc\/default\/haproxy:\d+/ }],
  outcome: { is: "refused", code: 5, because: /\/root\/x\.cfg/ },
  clear: sh("mv /root/haproxy.default /etc/default/haproxy"),
};
export default trap;
