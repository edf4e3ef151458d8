import { sh, type Trap } from "../trap.ts";

const directory = '/etc/systemd/system/"$(systemctl show -P Id mysql)".d';

const trap: Trap = {
  title: "a drop-in has the next start read other option files; what runs now is as wanted",
  steps: "mysql",
  plant: sh(
    `mkdir -p ${directory} && printf '[Service]\\nExecStart=\\nExecStart=%s --defaults-file=/root/x.cnf\\n' "$(ls /usr/sbin/mariadbd /usr/sbin/mysqld 2>/dev/null | head -n 1)" >${directory}/x.conf && systemctl daemon-reload`,
  ),
  told: [
    { setting: /zz-meshctl\.cnf$/, verdict: "blocked", because: /service\.d\/x\.conf:3 .*--defaults-file/ },
    { setting: "innodb_buffer_pool_size", verdict: "unknown", because: /--defaults-file=\/root\/x\.cnf/ },
  ],
  verifyCode: 1,
  outcome: { is: "refused", code: 1, because: /x\.conf:3/ },
  clear: sh(`rm -r ${directory} && systemctl daemon-reload`),
};
export default trap;
