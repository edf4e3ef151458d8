import { sh, type Trap } from "../trap.ts";

const trap: Trap = {
  title: "the system is not one that meshctl supports",
  steps: "preflight",
  plant: sh(
    `cp -L /etc/os-release /root/ && sed -i 's/^ID=.*/ID=devuan/; s/^PRETTY_NAME=.*/PRETTY_NAME="Devuan"/' /etc/os-release`,
  ),
  told: [{ setting: "os", verdict: "blocked", because: /allow_os/ }],
  outcome: { is: "refused", code: 5, because: /allow_os/ },
  clear: sh("cat /root/os-release >/etc/os-release"),
};
export default trap;
