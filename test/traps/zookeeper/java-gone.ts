import { sh, type Trap } from "../trap.ts";

const kept = "/root/trap-java";

const trap: Trap = {
  title: "the java that its unit starts leads nowhere any more; the one that runs has all it needs in memory",
  steps: "zookeeper",
  plant: sh(
    `readlink /etc/alternatives/java >${kept} && ln -sfn /opt/jdk-21/bin/java /etc/alternatives/java`,
  ),
  told: [
    {
      setting: "next start of zookeeper.service",
      verdict: "blocked",
      because: /\/usr\/bin\/java leads to \/opt\/jdk-21\/bin\/java, which is not there/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /leads to \/opt\/jdk-21/ },
  clear: sh(`ln -sfn "$(cat ${kept})" /etc/alternatives/java && rm ${kept}`),
};
export default trap;
