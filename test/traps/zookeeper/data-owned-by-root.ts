import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "its data belongs to root, as after a restore: what runs has its files open",
  steps: "zookeeper",
  plant: sh(
    "chown -R root:root /var/lib/zookeeper/data/version-2 && chmod 0750 /var/lib/zookeeper/data/version-2",
  ),
  told: [
    {
      setting: "readable by zookeeper",
      verdict: "blocked",
      because:
        /may not read \/var\/lib\/zookeeper\/data\/version-2 \(root:root 0750\): chown -R -h zookeeper:zookeeper \/var/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /may not read \/var\/lib\/zookeeper\/data\/version-2/ },
  clear: sh("chown -R zookeeper:zookeeper /var/lib/zookeeper/data/version-2"),
};
export default trap;
