import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { type BootLine, bootLines } from "../../src/daemon/boot-lines.ts";
import { ENDING_LINES, ENDING_WORDS, endingsOf } from "../../src/daemon/endings.ts";

const PATH = "/etc/cron.d/power";
/** Lines of one file, as the reader tells those that fit. */
function linesOf(text: string, by = "cron", path = PATH): readonly BootLine[] {
  return text.split("\n").flatMap((each, index) => {
    return [ENDING_WORDS, ENDING_LINES].every((what) => new RegExp(what).test(each))
      ? [{ path, line: index + 1, text: each, by }]
      : [];
  });
}
const ends = (text: string, unit = "haproxy.service", by = "cron") => endingsOf(linesOf(text, by), unit);
const surely = (does: string, how = "cron runs it", unit = "haproxy.service") => ({
  blocked: [`${PATH}:1 ${does} ${unit} (${how}): take it out there`],
  warnings: [],
});
const NOTHING = { blocked: [], warnings: [] };

describe("hosts that are alike", () => {
  const rows = [[PATH, "1", "@reboot systemctl stop haproxy", "cron"]];
  const door = { doors: [{ port: 8080, isLocal: true }], peers: [] };

  it("have the very same lines, which are judged once for a unit and whom it is reached by", () => {
    expect(bootLines(rows)).toBe(bootLines(rows));
    const known = endingsOf(bootLines(rows), "haproxy.service", door);
    expect(endingsOf(bootLines(rows), "haproxy.service", structuredClone(door))).toBe(known);
    expect(known).toEqual(surely("stops"));
  });

  it("are judged anew where other timers start what a line stands in", () => {
    const restarts = bootLines([["/etc/tidy.sh", "1", "systemctl restart haproxy", "tidy.service"]]);
    const often = (timesADay: number) =>
      endingsOf(
        restarts,
        "haproxy.service",
        door,
        new Map([["tidy.service", [{ name: "tidy.timer", timesADay }]]]),
      );
    expect(often(1).warnings).toEqual([]);
    expect(often(96).warnings).toHaveLength(1);
  });

  it.each([
    ["another unit", rows, "zookeeper.service", door],
    ["other doors", rows, "haproxy.service", { doors: [], peers: [] }],
    ["other lines", [[PATH, "1", "@reboot systemctl stop nginx", "cron"]], "haproxy.service", door],
  ])("are judged anew for %s", (_, lines, unit, reach) => {
    const known = endingsOf(bootLines(rows), "haproxy.service", door);
    expect(endingsOf(bootLines(lines), unit, reach)).not.toBe(known);
  });
});

describe("what surely ends a service", () => {
  it.each([
    ["@reboot systemctl stop haproxy", "stops"],
    ["@reboot root /usr/bin/systemctl -q --no-block stop nginx haproxy.service", "stops"],
    ["0 3 * * * root sleep 60 && systemctl disable --now haproxy", "disables"],
    ["systemctl mask haproxy.service >/dev/null 2>&1", "masks"],
    ["systemctl stop 'hap*'", "stops"],
    ["/usr/sbin/service haproxy stop", "stops"],
    ["invoke-rc.d --quiet haproxy stop", "stops"],
    ["/etc/init.d/haproxy stop", "stops"],
    ["update-rc.d -f haproxy remove", "disables"],
    ["pkill -9 -x haproxy", "kills"],
    ["killall haproxy", "kills"],
    ["systemctl kill -s KILL haproxy", "kills"],
    ["kill -9 $(pidof haproxy)", "kills"],
    ["kill `cat /run/haproxy.pid`", "kills"],
    ["apt-get -y purge haproxy", "removes the package of"],
    ["systemctl stop docker haproxy", "stops"],
    ["/usr/sbin/userdel -f haproxy", "removes the user of"],
    ["deluser --quiet haproxy", "removes the user of"],
    ["docker stop edge; systemctl stop haproxy", "stops"],
    ["ssh kvm-02 'echo moved'; systemctl stop haproxy", "stops"],
    ["systemctl isolate rescue.target", "isolates rescue.target, and so stops"],
  ])("%s", (text, does) => {
    expect(ends(text)).toEqual(surely(does));
  });

  it.each([
    ["mariadb.service", "systemctl stop mysql", "stops"],
    ["mariadb.service", "pkill mariadbd", "kills"],
    ["zookeeper.service", "pkill java", "kills"],
    ["zookeeper.service", "/usr/share/zookeeper/bin/zkServer.sh stop", "stops"],
    ["meshctl-watcher.service", "systemctl stop 'meshctl-*'", "stops"],
    ["meshctl-haproxy-install.path", "systemctl stop meshctl-haproxy-install.path", "stops"],
  ])("%s by %s", (unit, text, does) => {
    expect(ends(text, unit)).toEqual(surely(does, "cron runs it", unit));
  });

  it("what a unit starts, by its own name", () => {
    expect(ends("-/bin/sh -c 'pkill -x haproxy'", "haproxy.service", "ssh.service")).toEqual(
      surely("kills", "ssh.service starts it"),
    );
  });
});

describe("what may end a service is a warning", () => {
  it.each([
    ["cron", "  systemctl stop haproxy"],
    ["cron", "[ -e /run/quiet ] && systemctl stop haproxy"],
    ["cron", "if on_battery; then systemctl stop haproxy; fi"],
    ["cron", "curl -fs localhost:8080 || systemctl stop haproxy"],
    ["cron", "ssh kvm-02 'cd /srv; systemctl stop haproxy'"],
    ["cron", "echo systemctl stop haproxy | at 3am"],
    ["ifupdown", "systemctl stop haproxy"],
    ["ssh.service ExecStopPost", "/bin/systemctl stop haproxy"],
    ["udev", 'ACTION=="add", SUBSYSTEM=="net", RUN+="/bin/systemctl stop haproxy"'],
  ])("%s: %s", (by, text) => {
    const { blocked, warnings } = ends(text, "haproxy.service", by);
    expect(blocked).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^\/etc\/cron\.d\/power:1 may be what stops haproxy\.service \(.*\): look at when it does$/,
      ),
    ]);
  });

  it("of a variable that a line of the same file gives the service's name", () => {
    const loop = 'for s in nginx haproxy; do\n  systemctl stop "$s"\ndone';
    expect(ends(loop).warnings).toEqual([
      expect.stringMatching(/power:2 may be what stops haproxy\.service/),
    ]);
    expect(ends(loop, "zookeeper.service")).toEqual(NOTHING);
    expect(ends('SERVICES="nginx haproxy"\nsystemctl stop $SERVICES').warnings).toHaveLength(1);
  });

  it("of a file that could not be read", () => {
    const lines = [{ path: PATH, line: 0, text: "Permission denied", by: "cron" }];
    expect(endingsOf(lines, "haproxy.service").warnings).toEqual([
      `${PATH} could not be read (Permission denied), and cron runs it: whether it ends haproxy.service is not known`,
    ]);
  });
});

describe("what ends no service", () => {
  it.each([
    "deluser haproxy ssl-cert",
    "systemctl reload haproxy",
    "invoke-rc.d haproxy rotate >/dev/null 2>&1 || true",
    "systemctl restart haproxy",
    "systemctl stop haproxy-exporter",
    "systemctl stop nginx && systemctl reload haproxy",
    "systemctl --user stop haproxy",
    "systemctl -H kvm-02 stop haproxy",
    "systemctl kill -s USR2 haproxy",
    "systemctl kill --signal=HUP haproxy.service",
    "pkill -HUP haproxy",
    "kill -USR2 $(cat /run/haproxy.pid)",
    "kill -0 $(pidof haproxy)",
    "echo done # systemctl stop haproxy",
    "systemctl is-active haproxy || systemctl start haproxy",
    "apt-get remove haproxy-doc",
    "pkill nginx",
    "service haproxy status",
    "systemctl isolate multi-user.target",
    'systemctl stop "$1"',
    "0 3 * * * root ssh kvm-02 systemctl stop haproxy",
    "/usr/bin/ssh -o BatchMode=yes kvm-02 'systemctl stop haproxy'",
    "docker exec edge pkill haproxy",
    "lxc-attach -n edge -- service haproxy stop",
  ])("%s", (text) => {
    expect(ends(text)).toEqual(NOTHING);
  });

  it("what starts it again behind that, as a backup does", () => {
    expect(ends("systemctl stop haproxy\ncp -a /etc/haproxy /srv\nsystemctl start haproxy")).toEqual(NOTHING);
    expect(ends("systemctl stop haproxy; sleep 5; systemctl start haproxy")).toEqual(NOTHING);
    expect(ends("systemctl start haproxy; systemctl stop haproxy").blocked).toHaveLength(1);
  });

  it("the unit's own files, and meshctl's", () => {
    expect(ends("/usr/bin/pkill -x haproxy", "haproxy.service", "haproxy.service")).toEqual(NOTHING);
    const own = linesOf(
      "systemctl stop haproxy",
      "meshctl-haproxy-install.service",
      "/opt/meshctl/watcher/x",
    );
    expect(endingsOf(own, "haproxy.service")).toEqual(NOTHING);
  });

  it("what holds a password, which is not asked for", () => {
    expect(linesOf("systemctl stop haproxy --password=x")).toEqual([]);
    expect(linesOf("mysqldump -px mysql | pkill mysqld")).toEqual([]);
    expect(linesOf("curl -u admin:x http://localhost/drain; systemctl stop haproxy")).toEqual([]);
    expect(linesOf("curl https://me:x@chat.example/ -d 'systemctl stop haproxy'")).toEqual([]);
    expect(linesOf("systemctl stop haproxy # API_TOKEN=x")).toEqual([]);
    expect(linesOf("MYSQL_PWD=x mysqldump shop; systemctl stop mysql")).toEqual([]);
    expect(linesOf("BORG_PASSPHRASE=x borg create ::now && systemctl stop mysql")).toEqual([]);
    expect(linesOf("DB_PASSWORD='x' /opt/dump && service mysql stop")).toEqual([]);
    expect(linesOf("/opt/dump --pass x && service mysql stop")).toEqual([]);
    expect(linesOf("curl -H 'X-Api-Key: x' http://localhost/drain; systemctl stop haproxy")).toEqual([]);
  });
});

describe("a long line of a host's takes no time", () => {
  const within = (code: string, values: object) => runInNewContext(code, values, { timeout: 10_000 });

  it.each([
    ["of a minified script", "for(i in kill){if(x.service in y)for(k in z)systemctl}".repeat(2000)],
    ["of words that may begin what is looked for", "service kill systemctl stop for in ".repeat(4000)],
    ["of a variable", `a=${"ruby ".repeat(20_000)};`],
    ["of nothing", `${"\n".repeat(60_000)}x`],
    ["of spaces", `a=ruby${" ".repeat(60_000)};`],
  ])("%s", (_, text) => {
    expect(within("new RegExp(of, 'm').test(text)", { of: ENDING_LINES, text })).toBe(false);
  });

  it("with a pattern of stars", () => {
    const lines = linesOf(`systemctl stop ${"*?".repeat(9)}${"*".repeat(60)}z haproxy-x`);
    expect(lines).toHaveLength(1);
    expect(within("ends(lines, 'haproxy.service')", { ends: endingsOf, lines })).toEqual(NOTHING);
    expect(ends("systemctl stop 'h*a*[op]?o*y*'")).toEqual(surely("stops"));
    expect(ends("systemctl stop '[!h]*' haproxy-x")).toEqual(NOTHING);
    expect(ends("systemctl stop '[h' haproxy-x")).toEqual(NOTHING);
  });
});

describe("what surely writes over a file of a service", () => {
  const CFG = "/etc/haproxy/haproxy.cfg";
  it.each([
    [`0 3 * * * root cp -p /root/good.cfg ${CFG} && systemctl reload haproxy`, CFG],
    ["0 3 * * * root cp /srv/conf/haproxy.cfg /etc/haproxy/", CFG],
    ["install -m 0644 -t /etc/haproxy /srv/conf/haproxy.cfg", CFG],
    [`cat /srv/a /srv/b >${CFG}; systemctl restart haproxy`, CFG],
    [`cat /srv/a /srv/b > ${CFG} 2>/dev/null`, CFG],
    [`tee ${CFG} </srv/haproxy.cfg >/dev/null`, CFG],
    [`sed -i 's/maxconn .*/maxconn 100/' ${CFG}`, CFG],
    [`perl -i -ne 'print if 1' ${CFG}`, CFG],
    [`curl -fsS -o ${CFG} http://conf.example/haproxy.cfg`, CFG],
    [`wget -qO ${CFG} http://conf.example/haproxy.cfg`, CFG],
    [`dd if=/srv/a of=${CFG}`, CFG],
    [`ln -sf /srv/haproxy.cfg ${CFG}`, CFG],
    [`mv ${CFG} /root/`, CFG],
    [`rm -f ${CFG}`, CFG],
    ["rm /etc/systemd/system/haproxy.service", "/etc/systemd/system/haproxy.service"],
    ["rm -rf /etc/haproxy", CFG],
    ["rm -fr /etc/haproxy/*", CFG],
    ["rm /etc/haproxy/*", CFG],
    ["mv /etc/haproxy /root/", CFG],
  ])("%s", (text, file) => expect(ends(text)).toEqual(surely(`writes over ${file} of`)));

  it.each([
    ["zookeeper.service", "cp /srv/zoo.cfg /etc/zookeeper/conf/zoo.cfg"],
    ["mariadb.service", "rm /etc/mysql/mariadb.conf.d/zz-meshctl.cnf"],
    ["meshctl-watcher.service", "cp /srv/synapse.conf.json /etc/meshctl"],
    ["systemd-sysctl.service", "rm -f /etc/sysctl.d/99-zz-meshctl.conf"],
    ["meshctl-watcher.service", "rm -rf /etc/meshctl/"],
    ["meshctl-registrar.service", "rm -rf /opt/meshctl"],
    ["zookeeper.service", "rm -rf /var/lib/zookeeper/data/version-2/*"],
    ["mariadb.service", "mv /var/lib/mysql /srv/mysql.old"],
  ])("%s by %s, and no other", (unit, text) => {
    expect(ends(text, unit).blocked).toEqual([expect.stringContaining(`of ${unit} (cron runs it)`)]);
    expect(ends(text)).toEqual(NOTHING);
  });
});

describe("what takes the data of a service from it otherwise", () => {
  const DATA = "/var/lib/zookeeper/data/version-2";
  it.each([
    ["chown -R root:root /var/lib/zookeeper", `gives another user ${DATA} of`],
    ["chattr -R +i /var/lib/zookeeper/data", `makes read-only ${DATA} of`],
    ["mount -t tmpfs tmpfs /var/lib/zookeeper", `mounts something over ${DATA} of`],
    ["mount --bind /srv/empty /var/lib/zookeeper", `mounts something over ${DATA} of`],
    ["chmod -R go-rwx /etc/zookeeper", "closes to its user /etc/zookeeper/conf/zoo.cfg of"],
    ["chmod 0700 /etc/zookeeper", "closes to its user /etc/zookeeper/conf/zoo.cfg of"],
    ["find /var/lib/zookeeper -type f -mtime +1 -delete", `deletes in ${DATA} of`],
    ["find /var/lib/zookeeper/ -mtime +1 -exec rm -f {} +", `deletes in ${DATA} of`],
    ["find /var/lib/zookeeper -name 'log.*' -mtime +7 -delete", `deletes in ${DATA} of`],
    ["find /var/lib/zookeeper ! -name '*.bak' -delete", `deletes in ${DATA} of`],
    ["find /var/lib/zookeeper -wholename '*/version-2/*' -exec gzip {} ;", `deletes in ${DATA} of`],
    ["find /var/lib/zookeeper -name 'snapshot.*' | xargs -r rm -f", `deletes in ${DATA} of`],
    [`gzip -q ${DATA}/log.*`, `deletes in ${DATA} of`],
    [`rm -f ${DATA}/log.1*`, `deletes in ${DATA} of`],
    ["truncate -s 0 /var/lib/zookeeper/data/version-*/log.*", `deletes in ${DATA} of`],
    ["chmod 0600 /etc/zookeeper/conf/zoo.cfg", "closes to its user /etc/zookeeper/conf/zoo.cfg of"],
  ])("%s", (text, does) =>
    expect(ends(text, "zookeeper.service")).toEqual(surely(does, "cron runs it", "zookeeper.service")),
  );

  it.each([
    "chown -R zookeeper:zookeeper /var/lib/zookeeper",
    "chown root /var/lib/zookeeper/backup",
    "chattr -i /var/lib/zookeeper",
    "chmod -R 0750 /var/lib/zookeeper",
    "chmod 0755 /etc/zookeeper",
    "chmod -R a+rX /etc/zookeeper",
    "chmod go-w /etc/zookeeper/conf/zoo.cfg",
    "mount /var/lib/zookeeper",
    "mount -t ext4 /dev/vdb1 /var/lib/zookeeper/backup",
    "find /var/lib/zookeeper -name '*.bak' -delete",
    "find /var/lib/zookeeper -mtime +1",
    "find /var/log -mtime +1 -delete",
    "find /var/lib -type d -empty -delete",
    "mount -o remount,noatime /dev/vdb1 /var/lib/zookeeper",
    "chown -R zookeeper. /var/lib/zookeeper",
    "chown -R root:zookeeper /etc/zookeeper",
    "chgrp zookeeper /etc/zookeeper/conf/zoo.cfg\nchmod 640 /etc/zookeeper/conf/zoo.cfg",
    "chown -R zookeeper /etc/zookeeper\nchmod 600 /etc/zookeeper/conf/zoo.cfg",
    "chown root:zookeeper /etc/zookeeper/conf/zoo.cfg; chmod 0640 /etc/zookeeper/conf/zoo.cfg",
    "find /var/lib/zookeeper -name '*.log' -delete",
    "find /var/lib/zookeeper -maxdepth 1 -name 'log*' -delete",
    "find /var/lib/zookeeper -type d -name 'version*' -empty -delete",
    "find /var -path '*/cache/*' -delete",
    "find /var/lib/zookeeper -name 'log.*' -exec cp {} /srv/backup ;",
    "find /var/lib/zookeeper -name 'log.*' | xargs tar cf /srv/zk.tar",
    "gzip /var/log/zookeeper/*.log",
    "gzip -c /var/lib/zookeeper/data/version-2/snapshot.1 >/srv/backup/snapshot.gz",
    "xz -9k /var/lib/zookeeper/data/version-2/snapshot.*",
    "zstd -q /var/lib/zookeeper/data/version-2/snapshot.* --output-dir-flat /srv/backup",
    "find /var/lib/zookeeper -name 'snapshot.*' -exec gzip -k {} +",
    "rm -f /var/lib/zookeeper/zookeeper.out*",
    "mv /srv/restored/log.1 /var/lib/zookeeper/data/version-2/log.9",
  ])("%s does not", (text) => expect(ends(text, "zookeeper.service")).toEqual(NOTHING));
});

describe("what restarts a service again and again", () => {
  it.each([
    "* * * * * root systemctl restart haproxy",
    "*/5 * * * * root systemctl try-restart haproxy.service",
    "10,40 * * * * service haproxy restart >/dev/null",
    "@hourly root sleep 5; systemctl restart haproxy",
  ])("%s", (text) => {
    const { blocked, warnings } = ends(text);
    expect(ends(text, "zookeeper.service")).toEqual(NOTHING);
    expect(blocked).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^\/etc\/cron\.d\/power:1 restarts haproxy\.service \d+ times a day/),
    ]);
  });

  it.each([
    "0 4 * * 0 root systemctl restart haproxy",
    "@daily systemctl restart haproxy",
    "@reboot sleep 60; systemctl restart haproxy",
    "0 */6 * * * root systemctl restart haproxy",
    "* * * * * root systemctl is-active haproxy || systemctl restart haproxy",
    "* * * * * root systemctl reload haproxy",
    "* * * * * root systemctl restart nginx",
  ])("%s does not", (text) => expect(ends(text)).toEqual(NOTHING));
});

it("what a unit takes away when it ends is gone at the next boot", () => {
  const line = { path: "/etc/systemd/system/wipe.service", line: 4, text: "/bin/rm -rf /etc/haproxy" };
  const { blocked } = endingsOf([{ ...line, by: "wipe.service ExecStop" }], "haproxy.service");
  expect(blocked).toEqual([expect.stringContaining("wipe.service runs it when it ends")]);
});

it("what may write over a file is a warning", () => {
  for (const text of [
    "[ -e /run/new ] && cp /srv/haproxy.cfg /etc/haproxy/haproxy.cfg",
    "  cp /srv/haproxy.cfg /etc/haproxy/haproxy.cfg",
    "/srv/render | tee /etc/haproxy/haproxy.cfg >/dev/null",
  ])
    expect(ends(text)).toEqual({
      blocked: [],
      warnings: [
        expect.stringMatching(/may be what writes over \/etc\/haproxy\/haproxy\.cfg of haproxy\.service/),
      ],
    });
});

it.each([
  "cp /etc/haproxy/haproxy.cfg /var/backups/haproxy.cfg",
  "cp -a /etc/haproxy/haproxy.cfg /var/backups/",
  "tar czf /srv/b.tgz /etc/haproxy/haproxy.cfg && rm /srv/old.tgz",
  "haproxy -c -f /etc/haproxy/haproxy.cfg >/dev/null && systemctl reload haproxy",
  "diff /etc/haproxy/haproxy.cfg /srv/haproxy.cfg >/tmp/d",
  "cat /srv/ca.pem /srv/key.pem >/etc/haproxy/certs/a.pem && systemctl reload haproxy",
  "sed -n 's/maxconn//p' /etc/haproxy/haproxy.cfg >/srv/out",
  "ssh kvm-02 cp /srv/haproxy.cfg /etc/haproxy/haproxy.cfg",
  "rsync -a /etc/haproxy/haproxy.cfg backup:/srv/haproxy.cfg",
  "grep -q x /etc/haproxy/haproxy.cfg || rm /tmp/x",
  "rm -rf /etc/haproxy/certs",
  "rm -rf /etc/haproxy.old",
  "rm /etc/haproxy/errors/*",
  "mv /srv/conf /etc/haproxy",
  // It is read as root.
  "chmod 0600 /etc/haproxy/haproxy.cfg",
  "cp -a /etc/haproxy /var/backups/",
  "curl -o /srv/haproxy.cfg http://conf.example/etc/haproxy/haproxy.cfg",
])("%s writes over nothing of a service's", (text) => expect(ends(text)).toEqual(NOTHING));
