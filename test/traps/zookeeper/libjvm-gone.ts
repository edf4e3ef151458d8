import { sh, type Trap } from "../trap.ts";

const because = /\/libjvm\.so is not there, what openjdk-\d+-jre-headless brought/;

const trap: Trap = {
  title: "Java's own library is gone, which what runs has in its memory",
  steps: "zookeeper",
  plant: sh(
    'find /usr/lib/jvm -name libjvm.so | head -n 1 >/root/library && mv "$(cat /root/library)" /root/libjvm.so',
  ),
  told: [{ setting: "readable by zookeeper", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh('mv /root/libjvm.so "$(cat /root/library)" && rm /root/library'),
};
export default trap;
