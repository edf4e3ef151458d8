import { mustRun } from "../../e2e/backends.ts";
import { sh, squat, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "another process has the client port",
  steps: "zookeeper",
  plant: async ({ host }) => {
    await mustRun(host, "systemctl stop zookeeper");
    await squat(host, host.address, 2181);
  },
  told: [{ setting: "listens on", verdict: "blocked", because: /2181/ }],
  outcome: { is: "refused", code: 1, because: /2181/ },
  clear: sh("systemctl stop squatter"),
};
export default trap;
