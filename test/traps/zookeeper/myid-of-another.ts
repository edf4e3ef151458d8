import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "myid is another member's number",
  steps: "zookeeper",
  plant: sh("echo 7 >/var/lib/zookeeper/data/myid"),
  told: [{ setting: "myid", verdict: "blocked", because: /it is member 7/ }],
  outcome: { is: "refused", code: 5, because: /member 7/ },
  clear: sh("echo 3 >/var/lib/zookeeper/data/myid"),
};
export default trap;
