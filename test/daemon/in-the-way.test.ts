import { describe, expect, it } from "vitest";
import type { BootLine } from "../../src/daemon/boot-lines.ts";
import { ENDING_LINES, ENDING_WORDS, endingsOf } from "../../src/daemon/endings.ts";
import { familyOf, type Reach } from "../../src/daemon/reach.ts";

const ZOOKEEPER: Reach = {
  doors: [2181, 2888, 3888].map((port) => ({ port, isLocal: false })),
  peers: ["10.0.0.2", "fd00::2"],
};
const HAPROXY: Reach = { doors: [{ port: 8080, isLocal: true }], peers: [] };
const REACH: Readonly<Record<string, Reach>> = { "zookeeper.service": ZOOKEEPER, "haproxy.service": HAPROXY };
const PATH = "/etc/rc.local";

/** As the reader tells those lines that fit. */
function linesOf(text: string, by: string, path = PATH): readonly BootLine[] {
  return text.split("\n").flatMap((each, index) => {
    return [ENDING_WORDS, ENDING_LINES].every((what) => new RegExp(what).test(each))
      ? [{ path, line: index + 1, text: each, by }]
      : [];
  });
}

function told(text: string, unit = "zookeeper.service", by = "rc.local") {
  return endingsOf(linesOf(text, by), unit, REACH[unit]);
}
const NOTHING = { blocked: [], warnings: [] };

describe("what surely keeps clients or members from a service", () => {
  it.each([
    ["iptables -A INPUT -p tcp --dport 2181 -j DROP", "drops what comes to port 2181 of"],
    [
      "/usr/sbin/ip6tables -I INPUT -p tcp -m multiport --dports 22,2888 -j REJECT",
      "drops what comes to port 2888 of",
    ],
    [
      "iptables -t nat -A PREROUTING -p tcp --dport 2181 -j REDIRECT --to-port 9",
      "sends what goes to port 2181 elsewhere, away from",
    ],
    ["nft add rule inet filter input tcp dport 3000-4000 reject", "drops what comes to port 3888 of"],
    ["$IPT -A INPUT -p tcp --destination-port=2181 --jump 'DROP'", "drops what comes to port 2181 of"],
    [
      "iptables -C INPUT -p tcp --dport 2181 -j DROP 2>&1 || iptables -A INPUT -p tcp --dport 2181 -j DROP",
      "drops what comes to port 2181 of",
    ],
    ["iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited", "drops what comes to port 2181 of"],
    [
      "nft add rule inet f in tcp dport 3888 reject with icmpx type port-unreachable",
      "drops what comes to port 3888 of",
    ],
    ["iptables -A INPUT -j DROP", "drops what comes to port 2181 of"],
    ["ip r a unreachable 10.0.0.2", "leaves no route to 10.0.0.2, a peer of"],
    ["iptables -P INPUT DROP", "drops what comes to port 2181 of"],
    [
      "nft add chain inet x input '{ type filter hook input priority 0; policy drop; }'",
      "drops what comes to port 2181 of",
    ],
    ["sleep 60; ip route add blackhole 10.0.0.2/32", "leaves no route to 10.0.0.2, a peer of"],
    ["ip rule add to 10.0.0.2 prohibit", "leaves no route to 10.0.0.2, a peer of"],
    ["ip rule add pref 5 ipproto tcp dport 2181 unreachable", "drops what comes to port 2181 of"],
    ["iptables -A INPUT -p tcp --dport 2181 -jDROP", "drops what comes to port 2181 of"],
    ["iptables -A INPUT -p tcp --sport 3888 -j DROP", "drops what comes to port 3888 of"],
    ["iptables -A INPUT -s 10.0.0.2 -j DROP", "drops what comes from 10.0.0.2, a peer of"],
    ["nft add rule inet f input ip saddr 10.0.0.2 counter drop", "drops what comes from 10.0.0.2, a peer of"],
    ["nft insert rule inet f input drop", "drops what comes to port 2181 of"],
    ["iptables -A INPUT -p tcp -m state --state NEW -j DROP", "drops what comes to port 2181 of"],
    [
      'echo "-A INPUT -p tcp --dport 2181 -j DROP" | iptables-restore --noflush',
      "drops what comes to port 2181 of",
    ],
    [
      "nft add rule inet f in tcp dport vmap '{ 22 : accept, 2181 : drop }'",
      "drops what comes to port 2181 of",
    ],
    ["ufw --force deny 2181/tcp", "shuts port 2181 of"],
    ["ufw reject in from any to any port 3888", "shuts port 3888 of"],
    ["ip -6 route replace unreachable fd00::/64", "leaves no route to fd00::2, a peer of"],
    ["tc qdisc add dev eth0 root netem delay 500ms loss 20%", "delays or loses packets (netem) of"],
    [
      "/usr/share/zookeeper/bin/zkCli.sh -server 127.0.0.1:2181 deleteall /services",
      'says "deleteall" to the registry of',
    ],
  ])("%s", (text, does) => {
    expect(told(text)).toEqual({
      blocked: [`${PATH}:1 ${does} zookeeper.service (rc-local.service runs it): take it out there`],
      warnings: [],
    });
  });

  it.each([
    [
      'echo "disable frontend user-api" | socat stdio /run/haproxy/admin.sock',
      'says "disable frontend" to the socket of',
    ],
    [
      "printf 'set maxconn global 5\\n' | nc -U /run/haproxy/admin.sock",
      'says "set maxconn" to the socket of',
    ],
    [
      's.connect("/run/haproxy/admin.sock"); s.send(b"shutdown frontend user-api")',
      'says "shutdown frontend" to the socket of',
    ],
    ["iptables -A OUTPUT -o lo -p tcp --dport 8080 -j DROP", "drops what comes to port 8080 of"],
  ])("of HAProxy: %s", (text, does) => {
    const { blocked, warnings } = told(text, "haproxy.service");
    expect([...blocked, ...warnings]).toEqual([expect.stringContaining(`${PATH}:1 `)]);
    expect([...blocked, ...warnings][0]).toContain(does);
  });

  it("rules in files, whose policy may stand on a line by itself", () => {
    const rules = `table inet base {
  chain in {
    type filter hook input priority -5
    policy drop
    iif "lo" accept
    ct state established,related accept
    tcp dport { 22, 2181 } accept
  }
}`;
    expect(told(rules, "zookeeper.service", "fw.service").blocked).toEqual([
      `${PATH}:4 drops what comes to port 2888 of zookeeper.service (fw.service starts it): take it out there`,
    ]);
    // Those of the loopback interface get in.
    expect(told(rules, "haproxy.service", "fw.service")).toEqual(NOTHING);
    const saved =
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT";
    expect(told(saved, "zookeeper.service", "netfilter-persistent").blocked).toEqual([
      expect.stringContaining(":2 drops what comes to port 2181"),
    ]);
  });

  it("ports that a variable holds", () => {
    const drop = "iptables -A INPUT -p tcp --dport $PORT -j DROP";
    const blocked = [expect.stringContaining(":2 drops what comes to port 2181")];
    expect(told(`PORT=2181\n${drop}`)).toEqual({ blocked, warnings: [] });
    const loop = 'for p in 22 2181; do\n  iptables -A INPUT -p tcp --dport "$p" -j DROP\ndone';
    expect(told(loop)).toEqual({ blocked: [], warnings: [expect.stringContaining(":2 may be what drops")] });
    expect(told(`PORT=3306\n${drop}`)).toEqual(NOTHING);
    expect(told(drop).warnings).toEqual([expect.stringMatching(/:1 may be what drops what comes to a port/)]);
  });

  it("what a text says to the socket", () => {
    const text = "socat - /run/haproxy/admin.sock <<E\ndisable frontend user-api\nE";
    expect(told(text, "haproxy.service").blocked).toEqual([
      `${PATH}:2 says "disable frontend" to the socket of haproxy.service (rc-local.service runs it): take it out there`,
    ]);
    expect(told("disable frontend user-api", "haproxy.service")).toEqual(NOTHING);
  });

  it("a database that is told to shut down", () => {
    for (const text of ["mysql -e SHUTDOWN", 'mariadb -e "shutdown"'])
      expect(told(text, "mariadb.service").blocked).toEqual([expect.stringContaining("shuts down mariadb")]);
  });

  it("a log of transactions that logrotate takes for a log", () => {
    const text = "/var/lib/zookeeper/data/version-2/log.* {\n  daily\n}";
    expect(told(text, "zookeeper.service", "logrotate").blocked).toEqual([
      expect.stringContaining("rotates away /var/lib/zookeeper/data/version-2/log.*, data of"),
    ]);
  });
});

describe("what may be in the way is a warning", () => {
  it.each([
    [
      "zookeeper.service",
      "rc.local",
      "if on_battery; then iptables -A INPUT -p tcp --dport 2181 -j DROP; fi",
    ],
    ["zookeeper.service", "ifupdown", "iptables -A INPUT -p tcp --dport 2181 -j DROP"],
    ["zookeeper.service", "rc.local", "iptables -A INPUT -i eth1 -p tcp --dport 2181 -j DROP"],
    ["zookeeper.service", "rc.local", "nft add rule inet f in tcp dport 2181 limit rate over 1/second drop"],
    ["zookeeper.service", "rc.local", "ip route add blackhole 10.0.0.0/8"],
    ["zookeeper.service", "rc.local", "ip link set down dev eth0"],
    ["zookeeper.service", "rc.local", "zkCli.sh delete /lock"],
    ["zookeeper.service", "rc.local", "iptables -A INPUT ! -i lo -p tcp --dport 2181 -j DROP"],
    ["zookeeper.service", "rc.local", "zkCli.sh -server 127.0.0.1 deleteall /queue/done"],
    ["zookeeper.service", "cron", "@reboot root sleep 20 && ip link set eth0 down"],
    ["mariadb.service", "rc.local", 'mysql -e "SET GLOBAL read_only=1"'],
    ["zookeeper.service", "rc.local", "ifdown eth0"],
    ["zookeeper.service", "rc.local", "ifconfig eth0 down"],
    ["zookeeper.service", "rc.local", "nmcli con down mesh"],
    ["zookeeper.service", "rc.local", "firewall-cmd --permanent --set-default-zone=drop"],
    ["zookeeper.service", "rc.local", "firewall-cmd --zone=public --remove-port=2181/tcp"],
    ["zookeeper.service", "rc.local", "ufw default deny incoming"],
    ["zookeeper.service", "rc.local", "tc qdisc add dev eth0 root tbf rate 200kbit burst 5k latency 1s"],
    ["zookeeper.service", "rc.local", "iptables -A INPUT -i eth0 -j DROP"],
    ["zookeeper.service", "rc.local", "iptables -A INPUT -s 10.0.0.0/8 -j DROP"],
    ["zookeeper.service", "rc.local", "ip rule add from all unreachable"],
    ["zookeeper.service", "netfilter-persistent", "-A banned -s 10.0.0.2/32 -j DROP"],
    ["mariadb.service", "rc.local", 'mysql -e "FLUSH TABLES WITH READ LOCK; SELECT SLEEP(1e6)" &'],
  ])("of %s by %s: %s", (unit, by, text) => {
    const { blocked, warnings } = told(text, unit, by);
    expect(blocked).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("may be what")]);
  });
});

describe("what ordinary hosts have is in nobody's way", () => {
  it.each([
    ["another port", "iptables -A INPUT -p tcp --dport 3306 -j DROP"],
    ["another protocol", "iptables -A INPUT -p udp --dport 2181 -j DROP"],
    ["a forward", "iptables -P FORWARD DROP\niptables -A FORWARD -p tcp --dport 2181 -j DROP"],
    [
      "a firewall that lets the mesh in",
      "iptables -P INPUT DROP\niptables -A INPUT -s 10.0.0.0/8 -j ACCEPT\niptables -A INPUT -p tcp --dport 2181 -j DROP",
    ],
    [
      "one that has its ports in a variable",
      "iptables -P INPUT DROP\nfor p in 22 2181; do iptables -A INPUT -p tcp --dport $p -j ACCEPT; done",
    ],
    [
      "one that takes addresses of a set",
      "iptables -P INPUT DROP\nnft add rule inet f in ip saddr @mesh accept",
    ],
    ["an interface of its own", "iptables -P INPUT DROP\niptables -A INPUT -i wg0 -j ACCEPT"],
    ["addresses that are shut out", "iptables -A INPUT -s 203.0.113.7 -p tcp --dport 2181 -j DROP"],
    ["a route to nobody of the mesh", "ip route add blackhole 10.99.0.0/16"],
    ["a test's own interface", "tc qdisc add dev veth0 root netem delay 10ms"],
    ["fair queues", "tc qdisc replace dev eth0 root fq_codel"],
    [
      "an interface that comes back",
      "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:01; ip link set eth0 up",
    ],
    ["another interface", "ip link set dummy0 down"],
    ["a look at the registry", "zkCli.sh -server 127.0.0.1:2181 ls /"],
    ["another host's", "ssh kvm-02 'iptables -A INPUT -p tcp --dport 2181 -j DROP'"],
    [
      "a last rule that drops what none has let in",
      "iptables -A INPUT -p tcp --dport 2000:4000 -j ACCEPT\niptables -A INPUT -j REJECT --reject-with icmp-host-prohibited",
    ],
    ["a rule that is taken away", "iptables -D INPUT -p tcp --dport 2181 -j DROP 2>/dev/null || true"],
    ["a rule that is asked for", "iptables -C INPUT -p tcp --dport 2181 -j DROP"],
    ["a chain that is taken away", "nft delete rule inet f in tcp dport 2181 drop"],
    ["what is only said", 'echo "iptables -A INPUT -p tcp --dport 2181 -j DROP is not used here"'],
    ["a text about it", "logger --dport 2181: policy drop\ncat <<END\nno policy drop for dport 2181\nEND"],
    ["a policy that is taken back", "iptables -P INPUT DROP\niptables -F\niptables -P INPUT ACCEPT"],
    ["ports from one on", "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 1024: -j ACCEPT"],
    [
      "a chain of its own",
      "iptables -P INPUT DROP\niptables -N MESH\niptables -A MESH -j ACCEPT\niptables -A INPUT -s 10.0.0.0/24 -j MESH",
    ],
    ["a target in a variable", 'iptables -P INPUT DROP\niptables -I INPUT -s "$net" -j "$TARGET"'],
    ["interfaces that are one", "ip link set eth1 down\nip link set eth1 master bond0"],
    ["an interface that comes back later", "ip link set eth0 down\nsleep 1\nip link set eth0 up"],
    ["a route of another table", "ip route add unreachable 0.0.0.0/0 table 100"],
    ["a route that others win over", "ip route add blackhole 10.0.0.0/24 metric 4096"],
    ["a comment", "# iptables -A INPUT -p tcp --dport 2181 -j DROP"],
    ["a peer's other port", "iptables -A INPUT -s 10.0.0.2 -p tcp --dport 22 -j DROP"],
    ["addresses of others", "iptables -A INPUT -s 10.99.0.0/16 -j DROP"],
    ["what nothing of the mesh sends", "iptables -A INPUT -m state --state INVALID -j DROP"],
    ["flags that no connection has", "iptables -A INPUT -p tcp --tcp-flags ALL NONE -j DROP"],
    ["packets to all", "iptables -A INPUT -m pkttype --pkt-type broadcast -j DROP"],
    ["a set of attackers", "iptables -A INPUT -m set --match-set blocked src -j DROP"],
    ["attackers in a variable", "for ip in $(cat /etc/bad); do iptables -A INPUT -s $ip -j DROP; done"],
    [
      "a peer that failed to log in",
      "-A f2b-sshd -s 10.0.0.2/32 -j REJECT --reject-with icmp-port-unreachable",
    ],
    [
      "docker's rules",
      "-A DOCKER ! -i docker0 -o docker0 -j DROP\n-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP\n-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 2181 -j ACCEPT",
    ],
    ["false loopback addresses", "iptables -A INPUT ! -i lo -s 127.0.0.0/8 -j REJECT"],
    [
      "a last rule of an interface",
      "iptables -A INPUT -i eth0 -p tcp --dport 2000:4000 -j ACCEPT\niptables -A INPUT -i eth0 -j DROP",
    ],
    [
      "ports in a variable that are let in",
      'PORTS="22 2181"\niptables -A INPUT -p tcp --dport $PORTS -j ACCEPT',
    ],
    ["ufw for others", "ufw deny 23/tcp; ufw allow 2181/tcp; ufw deny from 203.0.113.9"],
    ["ufw that lets the mesh in", "ufw default deny incoming\nufw allow from 10.0.0.0/8"],
    ["firewalld that lets in", "firewall-cmd --permanent --add-port=2181/tcp; firewall-cmd --reload"],
    ["firewalld's other ports", "firewall-cmd --remove-port=8443/tcp"],
    ["an interface that is started anew", "ifdown eth0; ifup eth0"],
    ["an interface that ifconfig starts anew", "ifconfig eth0 down\nifconfig eth0 up"],
    ["a wide pipe", "tc qdisc add dev eth0 root tbf rate 1gbit burst 5k latency 1s"],
    ["a class of its own", "tc class add dev eth0 parent 1: classid 1:5 htb rate 1mbit ceil 1gbit"],
    ["replies of others", "iptables -A INPUT -p tcp --sport 25 -j DROP"],
    [
      "a rule of routes for a tunnel",
      "ip rule add from 10.8.0.0/24 table 5; ip rule add fwmark 5 unreachable",
    ],
  ])("%s", (_, text) => {
    expect(told(text)).toEqual(NOTHING);
  });

  it.each([
    'echo "show stat" | socat stdio /run/haproxy/admin.sock',
    'echo "clear counters all" | socat stdio /run/haproxy/admin.sock',
    "printf 'set ssl cert /a.pem <<\\n%s\\n\\n' \"$(cat /a.pem)\" | socat stdio /run/haproxy/admin.sock",
    'echo "disable server user-api/a" | socat stdio $SOCK\ndeploy\necho "enable server user-api/a" | socat stdio $SOCK',
    "iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 80 -j REDIRECT --to-port 8080",
    "iptables -A INPUT -i eth0 -p tcp --dport 8080 -j DROP",
    "iptables -A INPUT ! -i lo -p tcp --dport 8080 -j DROP",
    'echo "set server a/b state drain" | socat stdio $SOCK\ndeploy\necho "set server a/b state ready" | socat stdio $SOCK',
  ])("of HAProxy: %s", (text) => {
    expect(told(text, "haproxy.service")).toEqual(NOTHING);
  });

  it.each([
    "mysql -e 'FLUSH TABLES WITH READ LOCK; SYSTEM snap; UNLOCK TABLES'",
    "mysqladmin shutdown && tar cf /b.tar /var/lib/mysql; systemctl start mariadb",
    "mysql -e 'SET GLOBAL read_only=1' && snap && mysql -e 'SET GLOBAL read_only=0'",
    "mysqldump --single-transaction app >/b.sql",
  ])("of a database: %s", (text) => {
    expect(told(text, "mariadb.service", "cron")).toEqual(NOTHING);
  });

  const nft = (...rules: readonly string[]) =>
    `table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    iif lo accept\n    ${rules.join("\n    ")}\n  }\n}`;
  it.each([
    ["a list of ports on many lines", nft("tcp dport {", "  22,", "  2181, 2888,", "  3888", "} accept")],
    ["a map of ports", nft("tcp dport vmap { 22 : accept, 2181 : accept }")],
    ["a map of addresses", nft("ip saddr vmap @mesh")],
    ["ports from one on", nft("tcp dport >= 1024 accept")],
    ["a chain of its own", `${nft("ip saddr 10.0.0.0/24 jump mesh")}\nchain mesh {\n  accept\n}`],
  ])("of nftables: %s", (_, text) => {
    expect(told(text, "zookeeper.service", "nftables.service")).toEqual(NOTHING);
  });

  it("of iptables: chains that were saved, as ufw's", () => {
    const saved =
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ufw-user-input\n-A ufw-user-input -s 10.0.0.0/24 -j ACCEPT";
    expect(told(saved, "zookeeper.service", "netfilter-persistent")).toEqual(NOTHING);
  });

  it("ufw's own files, of which each is a chain of its own", () => {
    const before = linesOf(
      "-A ufw-before-input -i lo -j ACCEPT\n-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A ufw-before-input -m conntrack --ctstate INVALID -j DROP\n-A ufw-before-input -j ufw-not-local\n-A ufw-not-local -m limit --limit 3/min -j ufw-logging-deny\n-A ufw-not-local -j DROP",
      "ufw",
      "/etc/ufw/before.rules",
    );
    const ends = (user: string) =>
      endingsOf([...before, ...linesOf(user, "ufw", "/etc/ufw/user.rules")], "zookeeper.service", ZOOKEEPER);
    const drop = "-A ufw-user-input -p tcp --dport 2181 -j DROP";
    expect(ends(drop).blocked).toEqual([
      "/etc/ufw/user.rules:1 drops what comes to port 2181 of zookeeper.service (ufw.service reads it): take it out there",
    ]);
    expect(ends(`-A ufw-user-input -p tcp -s 10.0.0.0/24 --dport 2181 -j ACCEPT\n${drop}`)).toEqual(NOTHING);
    const usual =
      "-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n-A ufw-user-input -p tcp --dport 23 -j DROP\n-A ufw-user-limit -m limit --limit 3/minute -j LOG\n-A ufw-user-limit -j REJECT\n-A ufw-user-limit-accept -j ACCEPT";
    expect(ends(usual)).toEqual(NOTHING);
  });

  const haproxy: Reach = { doors: [{ port: 8080, isLocal: false, family: "ip" }], peers: [] };
  it.each([
    ["a set of ports and addresses", nft("tcp dport . ip saddr @mesh accept")],
    ["ports and addresses", nft("tcp dport . ip saddr { 8080 . 10.0.0.0/8 } accept")],
    ["several protocols", nft("meta l4proto { tcp, udp } th dport { 53, 8080 } accept")],
    [
      "one line",
      "table inet f { chain i { type filter hook input priority 0; policy drop; ct state established accept; tcp dport { 22, 8080 } accept; } }",
    ],
    [
      "what comes before, by its verb",
      "nft add rule inet f input tcp dport 8080 drop\nnft insert rule inet f input ip saddr 10.0.0.0/8 tcp dport 8080 accept",
    ],
    [
      "the same of iptables",
      "iptables -A INPUT -p tcp --dport 8080 -j DROP\niptables --insert INPUT -s 10.0.0.0/8 -p tcp --dport 8080 -j ACCEPT",
    ],
    [
      "what is sent on",
      "table inet f {\n chain forward {\n  type filter hook forward priority 0;\n  tcp dport 8080 drop\n }\n}",
    ],
    ["what is sent on, by ufw", "-A ufw-user-forward -p tcp --dport 8080 -j DROP"],
    ["what is sent on, by ufw's command", "ufw route deny proto tcp to any port 8080"],
    ["what the host sends", "iptables -A OUTPUT -p tcp --dport 8080 -j REJECT"],
    ["what the host sends, by ufw", "-A ufw-user-output -p tcp --dport 8080 -j DROP"],
    [
      "few that it may send to",
      "table inet f {\n chain o {\n  type filter hook output priority 0; policy drop;\n  ct state established,related accept\n  tcp dport { 53, 443 } accept\n }\n}",
    ],
    [
      "few that it may send to, the policy on a line by itself",
      "table inet f {\n chain o {\n  type filter hook output priority 0\n  policy drop\n  ct state established,related accept\n }\n}",
    ],
    [
      "few that it may send to, of iptables",
      "iptables -P OUTPUT DROP\niptables -A OUTPUT -m state --state ESTABLISHED -j ACCEPT",
    ],
    [
      "a table of the other family",
      "table ip6 filter {\n chain input {\n  type filter hook input priority 0; policy drop;\n }\n}\ntable inet f {\n}",
    ],
  ])("of what decides: %s", (_, text) => {
    expect(endingsOf(linesOf(text, "fw.service"), "haproxy.service", haproxy)).toEqual(NOTHING);
  });

  it.each([
    [
      "answers stay",
      "table inet f {\n chain o {\n  type filter hook output priority 0; policy drop;\n  tcp dport { 53, 443 } accept\n }\n chain i {\n  type filter hook input priority 0;\n  ct state established accept\n }\n}",
    ],
    [
      "a table of both families",
      "table ip6 x {\n}\ntable inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n  tcp dport 22 accept\n }\n}",
    ],
    [
      "a rule of such a chain",
      "table inet f {\n chain i {\n  type filter hook input priority 0;\n  tcp dport 8080 drop\n }\n}",
    ],
    ["several protocols", "nft add rule inet f input meta l4proto { tcp, udp } th dport 8080 drop"],
    [
      "elsewhere",
      "table ip f {\n chain i {\n  type nat hook prerouting priority -100;\n  tcp dport 8080 redirect to :8081\n }\n}",
    ],
  ])("and yet: %s", (_, text) => {
    const { blocked, warnings } = endingsOf(linesOf(text, "fw.service"), "haproxy.service", haproxy);
    expect([blocked.length, warnings]).toEqual([1, []]);
  });

  it("a port that ufw shuts while it opens others is shut", () => {
    const text = "ufw allow OpenSSH\nufw allow 443/tcp\nufw deny 8080/tcp";
    expect(endingsOf(linesOf(text, "fw.service"), "haproxy.service", haproxy).blocked).toHaveLength(1);
  });

  it.each([
    ["a chain that not all are asked for", "table inet f {\n chain public {\n  tcp dport 8080 drop\n }\n}"],
    ["a chain of its own", "-A public -p tcp --dport 8080 -j DROP"],
    ["hosts that ufw let in before", "ufw allow from 10.0.0.0/8\nufw deny 8080"],
    ["a port that ufw opened for some before", "ufw allow from 10.0.0.0/8 to any port 8080\nufw deny 8080"],
  ])("what may let the mesh in is a warning: %s", (_, text) => {
    const { blocked, warnings } = endingsOf(linesOf(text, "fw.service"), "haproxy.service", haproxy);
    expect([blocked, warnings.length]).toEqual([[], 1]);
  });

  it("a rule behind those of another that opens the port", () => {
    const lines = [
      ...linesOf(
        "-A INPUT -s 10.0.0.0/8 -p tcp --dport 8080 -j ACCEPT",
        "netfilter-persistent",
        "/etc/iptables/rules.v4",
      ),
      ...linesOf("iptables -A INPUT -p tcp --dport 8080 -j DROP", "rc.local"),
    ];
    expect(endingsOf(lines, "haproxy.service", haproxy).blocked).toEqual([]);
    const first = linesOf("iptables -I INPUT -p tcp --dport 8080 -j DROP", "rc.local");
    expect(endingsOf([lines[0]!, ...first], "haproxy.service", haproxy).blocked).toHaveLength(1);
  });

  it("a port that another script opens: which of them comes first is not told", () => {
    const lines = [
      ...linesOf("iptables -P INPUT DROP", "fw.service", "/etc/fw.sh"),
      ...linesOf("iptables -A INPUT -p tcp --dport 2181:3888 -j ACCEPT", "rc.local"),
    ];
    const { blocked, warnings } = endingsOf(lines, "zookeeper.service", ZOOKEEPER);
    expect(blocked).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/^\/etc\/fw\.sh:1 may be what drops/)]);
  });

  it("addresses of a family that the mesh has none of", () => {
    const doors = [{ port: 2181, isLocal: false, family: familyOf(["10.0.0.1", "10.0.0.2"]) }];
    const endings = (text: string, path?: string) =>
      endingsOf(linesOf(text, "netfilter-persistent", path), "zookeeper.service", { doors, peers: [] });
    const shut = ":INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 2181 -j DROP";
    expect(endings("ip6tables -P INPUT DROP")).toEqual(NOTHING);
    expect(endings("nft add rule ip6 filter input tcp dport 2181 drop")).toEqual(NOTHING);
    expect(endings(shut, "/etc/iptables/rules.v6")).toEqual(NOTHING);
    expect(endings(shut, "/etc/iptables/rules.v4").blocked).toHaveLength(2);
    expect(endings("iptables -P INPUT DROP; ip6tables -P INPUT DROP").blocked).toHaveLength(1);
    expect([familyOf(["::"]), familyOf(["10.0.0.1", "fd00::1"]), familyOf(["fd00::1"])]).toEqual([
      ...[undefined, undefined],
      "ip6",
    ]);
  });

  it("ZooKeeper's own log files, which logrotate takes", () => {
    const text = "/var/log/zookeeper/*.log {\n}\n/var/lib/zookeeper/zookeeper.out {\n}";
    expect(told(text, "zookeeper.service", "logrotate")).toEqual(NOTHING);
  });
});

describe("a list of nft's that ends with a drop", () => {
  const list = (policy: string, ...rules: string[]) =>
    [
      "table inet f {",
      "\tchain in {",
      `\t\ttype filter hook input priority 0; policy ${policy};`,
      ...rules.map((rule) => `\t\t${rule}`),
      "\t}",
      "}",
    ].join("\n");
  const judged = (text: string, unit = "zookeeper.service") => told(text, unit, "nftables.service");

  it.each([
    "drop",
    "counter drop",
    "reject with icmpx type admin-prohibited",
    'log prefix "in: " drop',
    "counter packets 0 bytes 0 reject;",
  ])("shuts out what nothing before has let in: %s", (end) => {
    const { blocked } = judged(
      list("accept", "ct state established,related accept", "iif lo accept", "tcp dport 22 accept", end),
    );
    expect(blocked).toEqual([expect.stringContaining("drops what comes to port 2181 of zookeeper.service")]);
  });

  it("lets in what a rule before it does, or a chain that is not followed", () => {
    for (const rule of [
      "tcp dport { 22, 2181, 2888, 3888 } accept",
      "jump services",
      "ip saddr 10.0.0.0/8 accept",
    ])
      expect(judged(list("accept", "iif lo accept", rule, "drop"))).toEqual(NOTHING);
    expect(judged(list("accept", "iif lo accept", "drop"), "haproxy.service")).toEqual(NOTHING);
  });

  it("of packets that are sent on is nobody's", () => {
    expect(judged(list("accept", "drop").replace("hook input", "hook forward"))).toEqual(NOTHING);
    expect(judged(list("accept", "drop").replace(/\n.*hook input.*\n/, "\n"))).toEqual(NOTHING);
  });
});
