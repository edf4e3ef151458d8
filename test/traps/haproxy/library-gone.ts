import { sh, type Trap } from "../trap.ts";

const because = /\/usr\/sbin\/haproxy cannot run: liblua5\.\d\.so\.0, a library that it needs, is not there/;

const trap: Trap = {
  title: "a library of HAProxy is gone, which what runs has in its memory",
  steps: "haproxy",
  plant: sh(
    'real=$(readlink -f "$(ldd /usr/sbin/haproxy | sed -n "s/.*liblua5[^ ]* => \\([^ ]*\\) .*/\\1/p")") && echo "$real" >/root/library && mv "$real" /root/library.so',
  ),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh('mv /root/library.so "$(cat /root/library)" && rm /root/library'),
};
export default trap;
