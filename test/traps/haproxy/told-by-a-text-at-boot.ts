import { sh, type Trap } from "../trap.ts";

const because =
  /\/etc\/rc\.local:4 says "disable frontend" to the socket of haproxy\.service \(rc-local\.service runs it\): take it out there/;

const trap: Trap = {
  title:
    "a script of the next boot sends HAProxy's socket a text of several lines, which switches a front end off",
  steps: "haproxy",
  plant: sh(`cat >/etc/rc.local <<'END'
#!/bin/sh
sleep 5
socat stdio /run/haproxy/admin.sock <<TEXT
disable frontend user-api
TEXT
END
chmod 0755 /etc/rc.local`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("rm /etc/rc.local; systemctl daemon-reload"),
};
export default trap;
