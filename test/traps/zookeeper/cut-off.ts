import { sh, type Trap } from "../trap.ts";

/** Prints the member's mode; nothing while it serves nobody. */
const MODE = `mode() {
  perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 3) or exit; print $s "srvr"; print grep { /^Mode/ } <$s>' \\
    "$(sed -n 's/^clientPortAddress=//p' /etc/zookeeper/conf/zoo.cfg):2181"
}`;

/** Prints the addresses of the other members. */
const OTHERS = `others() {
  sed -n 's/^server\\.[0-9]*=\\([0-9.]*\\):.*/\\1/p' /etc/zookeeper/conf/zoo.cfg | grep -vxF "$(sed -n 's/^clientPortAddress=//p' /etc/zookeeper/conf/zoo.cfg)"
}`;

const trap: Trap = {
  title: "a route keeps a member from the others, who have a quorum without it",
  steps: "zookeeper",
  plant: sh(
    `${OTHERS}
for other in $(others); do ip route add prohibit "$other" || exit; done
${MODE}
for _ in $(seq 180); do test -z "$(mode)" && exit; sleep 0.5; done; exit 1`,
    { timeoutMs: 150_000 },
  ),
  told: [
    {
      setting: "role",
      verdict: "different",
      because:
        /^kvm-0[12] leads and this member does not join: it cannot reach 2888 and 3888 of the others \(.*:3888: /,
    },
  ],
  outcome: { is: "refused", code: 1, because: /leads and this member does not join/ },
  clear: sh(
    `${OTHERS}
for other in $(others); do ip route del prohibit "$other"; done
${MODE}
for _ in $(seq 180); do test -n "$(mode)" && break; sleep 0.5; done
# Synapse dies of a member that serves nobody. Its deaths are no later trap's.
test -n "$(mode)" && systemctl restart meshctl-watcher`,
    { timeoutMs: 150_000 },
  ),
};
export default trap;
