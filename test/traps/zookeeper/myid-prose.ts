import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "myid holds prose, as the package ships it",
  steps: "zookeeper",
  plant: sh("echo replace this text >/var/lib/zookeeper/data/myid"),
  told: [{ setting: "myid", verdict: "different", because: /replace this text/ }],
  outcome: { is: "mended" },
};
export default trap;
