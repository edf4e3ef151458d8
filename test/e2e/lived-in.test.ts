import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, type LabHost, startLab } from "../lab/lab.ts";
import { eventually, installTimeoutMs, mustRun } from "./backends.ts";
import { inventoryFor, meshctl, oneHost, openRows, summaryOf } from "./meshctl.ts";
import { letIn, releaseOfRun } from "./releases.ts";
import { expectTaken } from "./shipped-configs.ts";

/** What people have on a host beside the mesh, in the usual ways. */
const PACKAGES =
  "ufw unattended-upgrades chrony prometheus-node-exporter cloud-init logrotate rsyslog fail2ban cron";

/** Of an administrator, before meshctl comes. */
const BEFORE = `
ufw allow 22/tcp && ufw allow from 198.18.0.0/16 && ufw --force enable
printf 'vm.swappiness = 10\\nnet.core.rmem_max = 4194304\\n' >/etc/sysctl.d/90-local.conf
printf 'net.ipv4.tcp_fin_timeout = 30\\n' >/etc/sysctl.d/91-again.conf
printf 'APT::Periodic::Unattended-Upgrade "1";\\n' >/etc/apt/apt.conf.d/20auto-upgrades
printf '[sshd]\\nenabled = true\\nbackend = systemd\\n' >/etc/fail2ban/jail.d/sshd.local
printf '/var/log/shop/*.log {\\n weekly\\n missingok\\n postrotate\\n  systemctl reload nginx || systemctl stop nginx\\n endscript\\n}\\n' >/etc/logrotate.d/shop
printf 'd /srv/scratch 1777 root root 10d\\n' >/etc/tmpfiles.d/scratch.conf
echo 'Be careful.' >/etc/motd
dd if=/dev/zero of=/swapfile bs=1M count=4 status=none && chmod 600 /swapfile && mkswap /swapfile >/dev/null
printf '/swapfile none swap sw 0 0\\nUUID=0000-dead /media/stick vfat noauto,user 0 0\\n' >>/etc/fstab
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\\nDefaultLimitNOFILE=65536\\nDefaultTasksMax=80%%\\nDefaultTimeoutStartSec=2min\\n' >/etc/systemd/system.conf.d/local.conf
systemctl daemon-reload && systemctl restart fail2ban rsyslog`;

/** … and once it has been there. */
const AFTER = `
printf '#!/bin/sh\\nset -e\\nsystemctl stop mariadb\\ntar -cf /srv/db.tar /var/lib/mysql\\nsystemctl start mariadb\\n' >/etc/cron.weekly/cold-backup
printf '#!/bin/sh\\ncat /etc/letsencrypt/live/*/*.pem >/etc/haproxy/site.pem\\nsystemctl reload haproxy\\n' >/etc/cron.daily/certificates
printf '30 4 * * 0 root systemctl try-restart haproxy\\n15 5 * * 0 root pkill -HUP -x haproxy\\n* * * * * root systemctl is-active -q zookeeper || systemctl start zookeeper\\n' >/etc/cron.d/mesh
printf '[Service]\\nExecStart=/usr/bin/systemctl stop nginx\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/no-nginx.service
chmod 0755 /etc/cron.weekly/cold-backup /etc/cron.daily/certificates && systemctl -q enable no-nginx
chmod g+w /usr/share/java /usr/lib/ruby && touch /usr/sbin/haproxy && chmod 0750 /usr/bin/mariadb-dump
for unit in haproxy zookeeper mariadb meshctl-watcher; do
  mkdir -p /etc/systemd/system/$unit.service.d
  printf '[Service]\\nNice=-2\\nLimitNOFILE=65536\\nEnvironment=TZ=Europe/Berlin\\nOOMScoreAdjust=-500\\nRestartSec=5\\n' \\
    >/etc/systemd/system/$unit.service.d/50-local.conf
done
install -d -o mysql -g mysql -m 0750 /srv/reports
mariadb-install-db --no-defaults --user=mysql --datadir=/srv/reports/data --skip-test-db >/dev/null 2>&1
printf '[mysqld]\\ndatadir=/srv/reports/data\\nsocket=/srv/reports/s\\nport=3310\\nbind-address=127.0.0.1\\npid-file=/srv/reports/pid\\ninnodb_buffer_pool_size=16M\\n' >/srv/reports/my.cnf
printf '[Service]\\nType=notify\\nUser=mysql\\nExecStart=/usr/sbin/mariadbd --defaults-file=/srv/reports/my.cnf\\n[Install]\\nWantedBy=multi-user.target\\n' \\
  >/etc/systemd/system/mariadb-reports.service
systemctl daemon-reload && systemctl enable --quiet --now mariadb-reports`;

const suite = releaseOfRun();
let lab: Lab;
let host: LabHost;
let inventory: string;

beforeAll(async () => {
  lab = await startLab({ hosts: 1, suite });
  host = lab.hosts[0]!;
  inventory = await inventoryFor(lab, (yaml) => letIn(suite, oneHost(yaml)));
  const apt = `env http_proxy=${lab.proxyUrl} DEBIAN_FRONTEND=noninteractive apt-get -q -y`;
  await mustRun(host, `${apt} update && ${apt} install ${PACKAGES}`, undefined, {
    timeoutMs: installTimeoutMs,
  });
  await mustRun(host, BEFORE);
});

afterAll(() => lab?.down());

const run = (command: string, ...flags: string[]) => meshctl([command, "-i", inventory, "--json", ...flags]);

/** Every setting is proven, and there is nothing to change. */
async function expectLeftAlone(): Promise<void> {
  const verified = await run("verify");
  expect(openRows(verified)).toEqual([]);
  expect(verified.code).toBe(0);
  const provisioned = await run("provision", "--yes");
  expect(provisioned.code).toBe(0);
  expect(summaryOf(provisioned).hosts[0]).toMatchObject({ outcome: "as wanted", changed: [] });
}

describe("a host that people have configured in the usual ways", () => {
  it("is provisioned beside all that", async () => {
    const provisioned = await run("provision", "--yes");
    expect(openRows(provisioned)).toEqual([]);
    expect(provisioned.code).toBe(0);
    expect(await mustRun(host, "ufw status")).toMatch(/^Status: active/);
    await expectLeftAlone();
  });

  it("has a HAProxy that takes each inventory that comes along, and what import makes of people's files", async () => {
    await expectTaken(host);
  });

  it("stays proven when they go on, and nothing is changed for it", async () => {
    await mustRun(host, AFTER, undefined, { timeoutMs: installTimeoutMs });
    await expectLeftAlone();
  });

  it("stays proven when its services have been started with that", async () => {
    await mustRun(host, "systemctl restart zookeeper meshctl-watcher haproxy mariadb");
    await eventually(
      "all is proven",
      async () => openRows(await run("verify")),
      (open) => open.length === 0,
      60_000,
    );
    await expectLeftAlone();
  });
});
