import { describe, expect, it } from "vitest";
import { maskForeignSecrets } from "../src/foreign-secrets.ts";

const M = "••••••";

describe("in what a host's files hold, masked is", () => {
  it.each([
    // HAProxy
    ["    stats auth admin:s3cret", `    stats auth admin:${M}`],
    ["stats auth admin:s3 cret\\ x", `stats auth admin:${M}`],
    ["-  stats   auth  admin:s3cret", `-  stats   auth  admin:${M}`],
    ["  user bob insecure-password s3cret groups a,b", `  user bob insecure-password ${M} groups a,b`],
    ["  user bob password $5$abc$def groups a", `  user bob password ${M} groups a`],
    ['  user bob insecure-password "s3 cret"', `  user bob insecure-password ${M}`],
    ["  setenv API_TOKEN s3cret", `  setenv API_TOKEN ${M}`],
    ["  presetenv DB_PASSWORD s3 cret", `  presetenv DB_PASSWORD ${M}`],
    ["  http-request set-header X-Api-Key s3cret", `  http-request set-header X-Api-Key ${M}`],
    [
      "  http-request set-header Authorization Basic\\ czNjcmV0",
      `  http-request set-header Authorization Basic\\ ${M}`,
    ],
    [
      '  http-check send hdr Authorization "Bearer s3cret"',
      `  http-check send hdr Authorization "Bearer ${M}"`,
    ],
    [
      "  option httpchk GET / HTTP/1.1\\r\\nAuthorization:\\ Basic\\ czNjcmV0",
      `  option httpchk GET / HTTP/1.1\\r\\nAuthorization:\\ Basic\\ ${M}`,
    ],
    // ZooKeeper, Java
    ["ssl.keyStore.password=s3cret", `ssl.keyStore.password=${M}`],
    ["zookeeper.ssl.trustStore.password : s3 cret", `zookeeper.ssl.trustStore.password : ${M}`],
    [
      'JVMFLAGS="-Xmx1g -Dzookeeper.ssl.keyStore.password=s3cret -Da=b"',
      `JVMFLAGS="-Xmx1g -Dzookeeper.ssl.keyStore.password=${M} -Da=b"`,
    ],
    [
      "-Dzookeeper.DigestAuthenticationProvider.superDigest=super:s3cret=",
      `-Dzookeeper.DigestAuthenticationProvider.superDigest=${M}`,
    ],
    ['   user_super="s3cret";', `   user_super="${M}";`],
    ['  username="bob" password="s3cret";', `  username="bob" password="${M}";`],
    // MySQL
    ["password = s3 cret", `password = ${M}`],
    ["password='s3 cret'", `password='${M}'`],
    ["wsrep_sst_auth=user:s3cret", `wsrep_sst_auth=${M}`],
    ["master_password=s3cret", `master_password=${M}`],
    // Environment
    ["DB_PASSWORD=s3cret", `DB_PASSWORD=${M}`],
    ["export GITHUB_TOKEN=s3cret", `export GITHUB_TOKEN=${M}`],
    ['Environment="AWS_SECRET_ACCESS_KEY=s3 cret" B=c', `Environment="AWS_SECRET_ACCESS_KEY=${M}" B=c`],
    ["Environment=SIGNING_KEY=s3cret B=c", `Environment=SIGNING_KEY=${M} B=c`],
    ["DB_PASS=s3cret", `DB_PASS=${M}`],
    ["net.ipv4.tcp_fastopen_key = 0-1-2-3", `net.ipv4.tcp_fastopen_key = ${M}`],
    // Synapse, Nerve, other JSON and YAML
    ['  "aws_secret_access_key": "s3\\"cret",', `  "aws_secret_access_key": "${M}",`],
    ['{"password":"s3cret","a":1,"api_key": "x"}', `{"password":"${M}","a":1,"api_key": "${M}"}`],
    ["  client_secret: s3cret", `  client_secret: ${M}`],
    // URLs, headers, programs
    ["proxy=http://bob:s3cret@proxy:3128/", `proxy=http://bob:${M}@proxy:3128/`],
    ["Authorization: Bearer s3cret", `Authorization: Bearer ${M}`],
    ['curl -H "Authorization: Basic czNjcmV0" http://x', `curl -H "Authorization: Basic ${M}" http://x`],
    ["Proxy-Authorization: Basic czNjcmV0", `Proxy-Authorization: Basic ${M}`],
    ["ExecStart=/bin/x --password s3cret --a b", `ExecStart=/bin/x --password ${M} --a b`],
    ["ExecStart=/bin/x --token=s3cret --a b", `ExecStart=/bin/x --token=${M} --a b`],
    ["machine x login bob password s3cret", `machine x login bob password ${M}`],
    ["requirepass s3cret", `requirepass ${M}`],
    [
      "-----BEGIN RSA PRIVATE KEY-----\nczNj\ncmV0\n-----END RSA PRIVATE KEY-----",
      `-----BEGIN RSA PRIVATE KEY-----\n${M}\n${M}\n-----END RSA PRIVATE KEY-----`,
    ],
  ])("%s", (text, masked) => {
    expect(maskForeignSecrets(text)).toBe(masked);
    expect(maskForeignSecrets(maskForeignSecrets(text))).toBe(masked);
    expect(maskForeignSecrets(`a\n${text}\nb`)).toBe(`a\n${masked}\nb`);
  });
});

describe("shown as it is", () => {
  it.each([
    "    bind 127.0.0.1:8080",
    "    http-request deny if !{ req.hdr(Authorization) -m found }",
    "    cookie meshctl-probe indirect",
    "    stats socket /run/haproxy/admin.sock mode 660 level admin",
    "    server a 10.0.0.1:80 check ssl verify required ca-file /etc/ssl/ca.pem",
    "key_buffer_size = 16M",
    "ssl-key = /etc/mysql/key.pem",
    "ssl.keyStore.location=/etc/zookeeper/key.jks",
    "password_file = /run/secrets/x",
    "validate_password_length=8",
    "KeyringMode=private",
    "tickTime=2000",
    "server.1=10.0.0.1:2888:3888",
    "ExecStart=/usr/bin/java -cp /usr/share/java/zookeeper.jar org.apache.Main /etc/zoo.cfg",
    "See http://example.org:80/a@b",
    "[mysqld]",
    "sudo wants a password. Set ssh.sudo_password, or allow it",
  ])("%s", (text) => {
    expect(maskForeignSecrets(text)).toBe(text);
  });
});

it("takes a time that grows with the text, whatever it holds", () => {
  const texts = [
    "password",
    "a.".repeat(9),
    "user x password ",
    "authorization ",
    '"password":"',
    "http://a:",
    "key",
  ];
  for (const part of texts) {
    const text = part.repeat(200_000 / part.length);
    // A pattern whose time grows with the square takes minutes for this.
    expect(maskForeignSecrets(text).length, part).toBeGreaterThan(0);
  }
});
