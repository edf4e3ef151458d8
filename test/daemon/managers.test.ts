import { expect, it } from "vitest";
import { ENDING_LINES, ENDING_WORDS } from "../../src/daemon/endings.ts";
import { isClockKept, managersOf } from "../../src/daemon/managers.ts";

function linesOf(text: string, by: string) {
  const fits = [ENDING_WORDS, ENDING_LINES].every((what) => new RegExp(what).test(text));
  return fits ? [{ path: "/etc/cron.d/site", line: 1, text, by }] : [];
}

const told = (text: string, by: string) => managersOf(linesOf(text, by));

it.each([
  ["/opt/puppetlabs/puppet/bin/puppet agent $PUPPET_EXTRA_OPTS --no-daemonize", "puppet.service", "puppet"],
  ["/usr/bin/chef-client -c $CONFIG -L $LOGFILE", "chef-client.service", "chef-client"],
  ["/opt/rudder/bin/rudder agent check -q", "cron", "rudder"],
  ["*/30 * * * * root puppet apply /srv/site.pp", "cron", "puppet"],
  ["/usr/bin/salt-minion", "salt-minion.service", "salt-minion"],
  ["*/30 * * * * root ansible-pull -U https://git.example/site.git", "cron", "ansible-pull"],
])("%s is told", (text, by, program) => {
  expect(told(text, by)).toEqual([
    expect.stringMatching(new RegExp(`^${program} \\(/etc/cron\\.d/site:1, `)),
  ]);
});

it.each([
  ["-/etc/default/puppet", "puppet.service"],
  ["systemctl stop puppet", "cron"],
  ["tar czf /backup/etc.tgz /etc/puppet /etc/haproxy", "cron"],
  ["5 4 * * * puppet /usr/local/bin/clean-reports", "cron"],
  ["rsync -a deploy@puppet:/srv/site /srv", "cron"],
  ["su rudder -c 'git -C /srv/rules pull'", "cron"],
  ["pgrep -x salt-minion || mail-root", "cron"],
  ["apt-get -y purge salt-minion", "cron"],
  ["tail -1 /var/log/puppet.log", "cron"],
  ["alias puppet='sudo puppet'", "login"],
  ["/opt/muppet/bin/muppet run", "x.service"],
])("%s by %s is not", (text, by) => {
  expect(told(text, by)).toEqual([]);
});

it("cron may keep a clock right by a program that sets it once", () => {
  for (const text of [
    "17 * * * * root /usr/sbin/ntpdate -s pool.ntp.org",
    "*/15 * * * * root rdate -s time.example; hwclock -w",
    "@hourly ntpdate-debian >/dev/null",
  ])
    expect([text, isClockKept(linesOf(text, "cron"))]).toEqual([text, true]);
  for (const text of [
    "@reboot root ntpdate -s pool.ntp.org",
    "5 4 * * * root apt-get -y purge ntpdate",
    "tail /var/log/ntpdate.log",
  ])
    expect([text, isClockKept(linesOf(text, "cron"))]).toEqual([text, false]);
  expect(isClockKept(linesOf("ntpdate -s pool.ntp.org", "ifupdown"))).toBe(false);
});
