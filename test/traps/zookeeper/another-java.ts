import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title:
    "somebody has led java to a JDK of their own: the next start of ZooKeeper is by another Java than runs",
  steps: "zookeeper",
  plant: sh(`mkdir -p /opt/trap-jdk/bin && readlink /etc/alternatives/java >/opt/trap-jdk/was
printf '#!/bin/sh\\nexec %s -Xint "$@"\\n' "$(cat /opt/trap-jdk/was)" >/opt/trap-jdk/bin/java
chmod 0755 /opt/trap-jdk/bin/java && ln -sfn /opt/trap-jdk/bin/java /etc/alternatives/java`),
  told: [
    {
      setting: "next start of zookeeper.service",
      verdict: "proven",
      because: /\/usr\/bin\/java leads to \/opt\/trap-jdk\/bin\/java, which no package of Debian's brings/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh('ln -sfn "$(cat /opt/trap-jdk/was)" /etc/alternatives/java && rm -r /opt/trap-jdk'),
};
export default trap;
