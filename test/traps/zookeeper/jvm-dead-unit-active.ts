import { sh, type Trap } from "../trap.ts";

const directory = "/etc/systemd/system/zookeeper.service.d";

const trap: Trap = {
  title: "the start ended with 0 and the unit is active, but the JVM died of its options",
  steps: "zookeeper",
  // What systemd makes of zookeeperd's SysV script: it puts the JVM into the background and ends with 0, whatever
  // becomes of it. The script itself would run a second server, of the package's own data directory.
  plant: sh(
    `mkdir -p ${directory} && cat >${directory}/old.conf <<'END'
[Service]
Type=forking
GuessMainPID=no
RemainAfterExit=yes
Restart=no
ExecStart=
ExecStart=/bin/sh -c '/usr/bin/java -Xms256M -Xmx128M -cp /usr/share/java/zookeeper.jar org.apache.zookeeper.server.quorum.QuorumPeerMain /etc/zookeeper/conf/zoo.cfg & exit 0'
END
    systemctl daemon-reload; systemctl stop zookeeper; systemctl start zookeeper && systemctl is-active zookeeper
    for try in $(seq 100); do pidof java >/dev/null || break; sleep 0.1; done`,
  ),
  told: [
    { setting: "role", verdict: "missing", because: /zookeeper\.service does not run/ },
    {
      setting: "zookeeper.service",
      verdict: "blocked",
      because: /old\.conf:\d+ sets ExecStart= of zookeeper\.service otherwise/,
    },
  ],
  outcome: { is: "refused", code: 1, because: /old\.conf/ },
  clear: sh(`rm -r ${directory}; systemctl daemon-reload`),
};
export default trap;
