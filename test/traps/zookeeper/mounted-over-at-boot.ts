import { sh, type Trap } from "../trap.ts";

const unit = "/etc/systemd/system/var-lib-zookeeper.mount";
const because =
  /var-lib-zookeeper\.mount mounts something on \/var\/lib\/zookeeper at boot, and .* is not on it now/;

const trap: Trap = {
  title: "a mount unit that was never started lies over ZooKeeper's data at the next boot",
  steps: "zookeeper",
  plant: sh(
    `printf '[Mount]\\nWhat=tmpfs\\nWhere=/var/lib/zookeeper\\nType=tmpfs\\n[Install]\\nWantedBy=multi-user.target\\n' >${unit} && systemctl daemon-reload && systemctl enable -q var-lib-zookeeper.mount`,
  ),
  told: [{ setting: "data directory", verdict: "blocked", because }],
  outcome: { is: "refused", code: 5, because },
  clear: sh(`systemctl disable -q var-lib-zookeeper.mount; rm ${unit}; systemctl daemon-reload`),
};
export default trap;
