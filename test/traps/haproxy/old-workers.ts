import { sh, type Trap } from "../trap.ts";

const master = `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(shift) or die; print $s "show proc\\n"; shutdown $s, 1; print <$s>' /run/haproxy-master.sock`;
const trickle = `$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 8080) or die; $s->autoflush(1); print $s "GET / HTTP/1.1\\r\\n"; while (1) { sleep 1; print $s "X-Y: z\\r\\n" or last }`;

const trap: Trap = {
  title: "each reload has left a worker that lives on for one client",
  steps: "haproxy,watcher",
  plant: sh(
    `for n in 1 2 3; do
      systemd-run --quiet --collect --unit=trickle-$n perl -MIO::Socket::INET -e '${trickle.replaceAll("$", "$$$$")}'
      for _ in $(seq 100); do [ "$(ss -Htn state established 'dport = :8080' | wc -l)" -ge $n ] && break; sleep 0.1; done
      systemctl reload haproxy
      for _ in $(seq 100); do [ "$(${master} | sed -n '/^# old workers/,/^# p/p' | grep -c ' worker ')" -ge $n ] && break; sleep 0.1; done
    done`,
  ),
  told: [
    {
      setting: "last reload",
      verdict: "proven",
      because:
        /^3 workers of earlier reloads still serve clients that stay connected, the oldest started \d+ \w+ ago/,
    },
  ],
  verifyCode: 0,
  outcome: { is: "left alone" },
  clear: sh("systemctl stop trickle-1 trickle-2 trickle-3"),
};
export default trap;
