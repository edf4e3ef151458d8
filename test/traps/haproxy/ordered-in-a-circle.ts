import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system";
const because =
  /haproxy\.service is to be started before zookeeper\.service and after it, and systemd leaves one of them out/;

const trap: Trap = {
  title: "two drop-ins order HAProxy before ZooKeeper and after it: the next boot leaves one of them out",
  steps: "haproxy",
  plant: sh(`mkdir -p ${directory}/zookeeper.service.d
printf '[Unit]\\nBefore=zookeeper.service\\n' >${directory}/haproxy.service.d/trap-order.conf
printf '[Unit]\\nBefore=haproxy.service\\n' >${directory}/zookeeper.service.d/trap-order.conf
systemctl daemon-reload`),
  told: [{ setting: "next start of haproxy.service", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(
    `rm ${directory}/haproxy.service.d/trap-order.conf; rm -r ${directory}/zookeeper.service.d; systemctl daemon-reload`,
  ),
};
export default trap;
