import { mustRun } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

let started = "";

const trap: Trap = {
  title: "myid is right and readable by root alone: the next start cannot read it",
  steps: "zookeeper",
  plant: async (world) => {
    started = await mustRun(world.host, "systemctl show -P InvocationID zookeeper");
    await sh("cd /var/lib/zookeeper/data && chown root:root myid && chmod 0600 myid")(world);
  },
  told: [
    {
      setting: "myid",
      verdict: "different",
      because: /0600 root:root, and zookeeper may not read it at its next start/,
    },
    {
      setting: "readable by zookeeper",
      verdict: "different",
      because: /may not read .*\/myid \(root:root 0600\)/,
    },
  ],
  outcome: { is: "mended" },
  after: async ({ host }) => {
    const now = await mustRun(host, "systemctl show -P InvocationID zookeeper");
    if (now !== started) throw new Error("ZooKeeper was restarted for the mode of a file");
  },
};
export default trap;
