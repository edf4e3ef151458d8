import { sh, type Trap } from "../trap.ts";

const because = /\/ssh\.service\.d\/java\.conf:2 kills zookeeper\.service \(ssh\.service starts it\)/;

const trap: Trap = {
  title: "somebody else's unit kills all of Java once it has started",
  steps: "zookeeper",
  plant: sh(`mkdir -p /etc/systemd/system/ssh.service.d
printf '[Service]\\nExecStartPost=-/bin/sh -c "sleep 5; pkill -x java"\\n' >/etc/systemd/system/ssh.service.d/java.conf
systemctl daemon-reload`),
  told: [{ setting: "next start of zookeeper.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh("rm -r /etc/systemd/system/ssh.service.d; systemctl daemon-reload"),
};
export default trap;
