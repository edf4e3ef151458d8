import { sh, type Trap } from "../trap.ts";

const because = /\/etc\/haproxy\/haproxy\.cfg is immutable, not even root may write it: chattr -R -i/;

const trap: Trap = {
  title: "somebody made haproxy.cfg immutable: no backend that comes or goes will get into it",
  steps: "haproxy",
  plant: sh("chattr +i /etc/haproxy/haproxy.cfg"),
  told: [{ setting: "readable by root", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("chattr -i /etc/haproxy/haproxy.cfg"),
};
export default trap;
