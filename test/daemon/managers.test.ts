import { expect, it } from "vitest";
import { ENDING_LINES, ENDING_WORDS } from "../../src/daemon/endings.ts";
import { managersOf } from "../../src/daemon/managers.ts";

function told(text: string, by: string, path = "/etc/cron.d/site") {
  const fits = [ENDING_WORDS, ENDING_LINES].every((what) => new RegExp(what).test(text));
  return managersOf(fits ? [{ path, line: 1, text, by }] : []);
}

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
