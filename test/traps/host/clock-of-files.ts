import { sh, type Trap } from "../trap.ts";

const starts =
  "systemctl show -P ExecMainStartTimestampMonotonic zookeeper haproxy meshctl-watcher mariadb mysql";

const trap: Trap = {
  title: "every file of meshctl's carries a time to come, as after a clock was set back",
  plant: sh(`cut -d' ' -f3- /var/lib/meshctl/manifest | xargs touch -d '2 years'; ${starts} >/run/started`),
  // systemd goes by time stamps itself and wants its files read again: a daemon-reload, which restarts nothing.
  told: [
    {
      step: "haproxy",
      setting: "open files",
      verdict: "not-in-force",
      because: /systemd has not read the files/,
    },
  ],
  outcome: { is: "mended" },
  after: sh(`${starts} | cmp - /run/started`),
};
export default trap;
