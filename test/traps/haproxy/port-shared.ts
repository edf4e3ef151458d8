import { eventually, mustRun } from "../../e2e/backends.ts";
import { sh, type Trap } from "../trap.ts";

const program = `#!/usr/bin/perl
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8080, Listen => 50, ReuseAddr => 1, ReusePort => 1) or die "$!\\n";
while (my $client = $server->accept) { print $client "HTTP/1.0 200 OK\\r\\n\\r\\nshadow\\n"; close $client }
`;

const trap: Trap = {
  title: "a program that is no HAProxy shares a front end's port, and gets half of its requests",
  steps: "haproxy,watcher",
  plant: async ({ host }) => {
    await mustRun(host, "cat >/usr/local/sbin/shadow-api && chmod 0755 /usr/local/sbin/shadow-api", program);
    await mustRun(host, "systemd-run --quiet --collect --unit=shadow-api /usr/local/sbin/shadow-api");
    const listeners = () => mustRun(host, "ss -Hltn 'sport = :8080' | wc -l");
    await eventually("the shadow on port 8080", listeners, (count) => Number(count) === 2);
    // The youngest is shown first, and would be noticed by that alone.
    await mustRun(host, "systemctl restart haproxy");
    await eventually("both on port 8080", listeners, (count) => Number(count) === 2);
  },
  told: [
    {
      setting: "user-api front end",
      verdict: "blocked",
      because: /shadow-api that haproxy\.service did not start, takes requests on 127\.0\.0\.1:8080 too/,
    },
  ],
  outcome: { is: "refused", code: 5, because: /shadow-api that haproxy\.service did not start/ },
  clear: sh("systemctl stop shadow-api; rm -f /usr/local/sbin/shadow-api"),
};
export default trap;
