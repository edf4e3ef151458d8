import { deregister, eventually, mustRun, register } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const path = "/services/user-api";
const config = "/etc/meshctl/synapse.conf.json";

const trap: Trap = {
  title:
    "Synapse follows another ensemble, whose backends HAProxy has: the file was put back after it had started",
  steps: "watcher",
  plant: async ({ lab, host }) => {
    await register(lab.hosts[0]!, path, { name: "ours", host, port: 9001 });
    // The other one is started as the unit's own is, on a port and data of its own.
    await mustRun(
      host,
      `mkdir -p /root/other && printf '%s\\n' tickTime=2000 dataDir=/root/other clientPort=2999 clientPortAddress=127.0.0.1 admin.enableServer=false >/root/other/zoo.cfg
      perl -0 -ne 'chomp; push @argv, $_; END { $argv[-1] = "/root/other/zoo.cfg"; exec qw(systemd-run --quiet --collect --unit=other-zookeeper), @argv }' </proc/$(systemctl show -P MainPID zookeeper)/cmdline`,
    );
    const nodes = [
      "create /services ''",
      `create ${path} ''`,
      "create /services/order-api ''",
      `create ${path}/theirs '{"host":"192.0.2.1","port":9001,"name":"theirs"}'`,
    ];
    const client = `/usr/share/zookeeper/bin/zkCli.sh -server 127.0.0.1:2999 2>&1`;
    await eventually(
      "the other ensemble",
      async () => (await host.exec(client, { input: [...nodes, "quit", ""].join("\n") })).stdout,
      (said) =>
        /already exists: \/services\/user-api\/theirs|Created \/services\/user-api\/theirs/.test(said),
      60_000,
    );
    await mustRun(
      host,
      `cp -p ${config} /root/ && sed -i 's/"[0-9.]*:2181"/"127.0.0.1:2999"/' ${config} && systemctl restart meshctl-watcher`,
    );
    await eventually(
      "its backend in haproxy.cfg",
      () => mustRun(host, "cat /etc/haproxy/haproxy.cfg"),
      (text) => text.includes("192.0.2.1:9001 "),
    );
    await mustRun(host, `cp -p /root/synapse.conf.json ${config}`);
  },
  told: [
    {
      setting: config,
      verdict: "not-in-force",
      because: /^on disk it is as wanted, but what runs has sha256 [0-9a-f]{12}, not sha256/,
    },
    { setting: "ZooKeeper session", verdict: "missing", because: /^PID \d+ has no connection to any member/ },
    {
      setting: "service user-api",
      verdict: "different",
      because: /^theirs_192\.0\.2\.1:9001 where ours_[0-9.]+:9001 is wanted/,
    },
  ],
  outcome: { is: "mended" },
  clear: async (world) => {
    await sh("systemctl stop other-zookeeper; rm -r /root/other")(world);
    await deregister(world.lab.hosts[0]!, path, "ours");
  },
};
export default trap;
